// singleflight: a cache whose readers share one load, and need not wait for it longer than they like. In Go:
//
//   package main
//
//   import (
//       "context"
//       "fmt"
//       "sync"
//       "time"
//
//       "golang.org/x/sync/singleflight"
//   )
//
//   type cache struct {
//       mu      sync.Mutex
//       kept    map[string]string
//       flights singleflight.Group
//   }
//
//   func (c *cache) look(key string) (string, bool) {
//       c.mu.Lock()
//       defer c.mu.Unlock()
//       value, ok := c.kept[key]
//       return value, ok
//   }
//
//   func (c *cache) keep(key, value string) {
//       c.mu.Lock()
//       defer c.mu.Unlock()
//       c.kept[key] = value
//   }
//
//   func (c *cache) get(ctx context.Context, key string, load func() string) (string, error) {
//       flight := c.flights.DoChan(key, func() (any, error) {
//           if value, ok := c.look(key); ok {
//               return value, nil
//           }
//           value := load()
//           c.keep(key, value)
//           return value, nil
//       })
//       select {
//       case r := <-flight:
//           return r.Val.(string), r.Err
//       case <-ctx.Done():
//           return "", ctx.Err()
//       }
//   }
//
//   func main() {
//       c := cache{kept: make(map[string]string)}
//       ctx := context.Background()
//       loading, loaded := make(chan struct{}), make(chan struct{})
//       loads := 0
//       load := func() string {
//           loads++
//           close(loading)
//           <-loaded
//           return "a value"
//       }
//
//       values := make([]string, 5)
//       var wg sync.WaitGroup
//       for i := range values {
//           wg.Add(1)
//           go func() {
//               defer wg.Done()
//               values[i], _ = c.get(ctx, "key", load)
//           }()
//       }
//       <-loading
//       soon, cancel := context.WithTimeout(ctx, time.Millisecond)
//       defer cancel()
//       _, err := c.get(soon, "key", load)
//       fmt.Println("one left:", err)
//
//       close(loaded)
//       wg.Wait()
//       for _, value := range values {
//           fmt.Println("one got:", value)
//       }
//       fmt.Println("loads:", loads)
//   }
//
// Output:
//   one left: context deadline exceeded
//   one got: a value
//   one got: a value
//   one got: a value
//   one got: a value
//   one got: a value
//   loads: 1

#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>
#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

class cache {
 public:
  std::optional<std::string> look(const std::string& key) {
    const std::lock_guard hold(mu_);
    const auto at = kept_.find(key);
    return at != kept_.end() ? std::optional(at->second) : std::nullopt;
  }

  void keep(const std::string& key, const std::string& value) {
    const std::lock_guard hold(mu_);
    kept_[key] = value;
  }

  // The flight is a fiber of its own and may outlive this call: it captures by value.
  weft::result<std::string> get(const weft::context& ctx, const std::string& key, std::function<std::string()> load) {
    auto r = flights_.call(ctx, key, [=, this] {
      if (auto value = look(key)) return *value;
      const std::string value = load();
      keep(key, value);
      return value;
    });
    if (!r) return std::unexpected(r.error());
    return r->value;
  }

 private:
  weft::mutex mu_;
  std::map<std::string, std::string> kept_;
  weft::singleflight<std::string, std::string> flights_;  // last, so that it is destroyed first: it waits for flights
};

}  // namespace

int main() {
  weft::run([] {
    weft::context ctx = weft::background();
    weft::chan<void> loading, loaded;
    int loads = 0;
    cache c;
    const auto load = [&loads, loading, loaded] {
      ++loads;
      loading.close();
      loaded.recv();
      return std::string("a value");
    };

    std::vector<std::string> values(5);
    weft::wait_group wg;
    for (std::string& value : values) {
      wg.go([&, ctx] { value = weft::unwrap(c.get(ctx, "key", load)); });
    }
    loading.recv();
    auto [soon, cancel] = weft::with_timeout(ctx, 1ms);
    const std::error_code err = weft::error_of(c.get(soon, "key", load));
    std::printf("one left: %s\n", err.message().c_str());

    loaded.close();
    wg.wait();
    for (const std::string& value : values) std::printf("one got: %s\n", value.c_str());
    std::printf("loads: %d\n", loads);
  });
}
