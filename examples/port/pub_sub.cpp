// pub_sub: a broker sends each message to all who subscribed to its topic; for a full subscriber it is dropped. In Go:
//
//   package main
//
//   import (
//       "fmt"
//       "strings"
//       "sync"
//   )
//
//   type broker struct {
//       mu     sync.Mutex
//       topics map[string][]chan string
//   }
//
//   func (b *broker) subscribe(topic string, room int) <-chan string {
//       c := make(chan string, room)
//       b.mu.Lock()
//       defer b.mu.Unlock()
//       b.topics[topic] = append(b.topics[topic], c)
//       return c
//   }
//
//   func (b *broker) publish(topic, text string) (dropped int) {
//       b.mu.Lock()
//       defer b.mu.Unlock()
//       for _, c := range b.topics[topic] {
//           select {
//           case c <- text:
//           default:
//               dropped++
//           }
//       }
//       return dropped
//   }
//
//   func (b *broker) close() {
//       b.mu.Lock()
//       defer b.mu.Unlock()
//       for _, cs := range b.topics {
//           for _, c := range cs {
//               close(c)
//           }
//       }
//       b.topics = nil
//   }
//
//   func main() {
//       b := broker{topics: make(map[string][]chan string)}
//       names := []string{"reader", "fan", "sleeper"}
//       inboxes := []<-chan string{b.subscribe("news", 3), b.subscribe("sport", 3), b.subscribe("news", 1)}
//
//       dropped := 0
//       for _, text := range []string{"rain", "sun", "wind"} {
//           dropped += b.publish("news", text)
//       }
//       dropped += b.publish("sport", "2:1")
//       b.close()
//       fmt.Println("dropped:", dropped)
//
//       heard := make([][]string, len(names))
//       var wg sync.WaitGroup
//       for i, inbox := range inboxes {
//           wg.Add(1)
//           go func() {
//               defer wg.Done()
//               for text := range inbox {
//                   heard[i] = append(heard[i], text)
//               }
//           }()
//       }
//       wg.Wait()
//       for i, name := range names {
//           fmt.Printf("%s: %s\n", name, strings.Join(heard[i], " "))
//       }
//   }
//
// Output:
//   dropped: 2
//   reader: rain sun wind
//   fan: 2:1
//   sleeper: rain

#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <vector>
#include <weft/weft.hpp>

namespace {

class broker {
 public:
  weft::recv_chan<std::string> subscribe(const std::string& topic, int room) {
    weft::chan<std::string> c(room);
    const std::lock_guard hold(mu_);
    topics_[topic].push_back(c);
    return c;
  }

  int publish(const std::string& topic, const std::string& text) {
    const std::lock_guard hold(mu_);
    int dropped = 0;
    for (const weft::chan<std::string>& c : topics_[topic]) {
      weft::select(weft::send(c, text), weft::otherwise([&] { ++dropped; }));
    }
    return dropped;
  }

  void close() {
    const std::lock_guard hold(mu_);
    for (const auto& [topic, cs] : topics_) {
      for (const weft::chan<std::string>& c : cs) c.close();
    }
    topics_.clear();
  }

 private:
  weft::mutex mu_;
  std::map<std::string, std::vector<weft::chan<std::string>>> topics_;
};

}  // namespace

int main() {
  weft::run([] {
    broker b;
    const std::vector<std::string> names{"reader", "fan", "sleeper"};
    std::vector<weft::recv_chan<std::string>> inboxes{b.subscribe("news", 3), b.subscribe("sport", 3),
                                                      b.subscribe("news", 1)};

    int dropped = 0;
    for (const char* text : {"rain", "sun", "wind"}) dropped += b.publish("news", text);
    dropped += b.publish("sport", "2:1");
    b.close();
    std::printf("dropped: %d\n", dropped);

    std::vector<std::string> heard(names.size());
    weft::wait_group wg;
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      wg.go([&, i] {
        for (const std::string& text : inboxes[i]) heard[i] += " " + text;
      });
    }
    wg.wait();
    for (std::size_t i = 0; i < names.size(); ++i) std::printf("%s:%s\n", names[i].c_str(), heard[i].c_str());
  });
}
