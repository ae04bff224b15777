// errgroup: several fibers with one fate; the first error cancels the rest and is the error of all. In Go:
//
//   package main
//
//   import (
//       "context"
//       "errors"
//       "fmt"
//       "io/fs"
//
//       "golang.org/x/sync/errgroup"
//   )
//
//   func fetch(ctx context.Context, page string) (string, error) {
//       switch page {
//       case "missing":
//           return "", fs.ErrNotExist
//       case "endless":
//           <-ctx.Done()
//           return "", ctx.Err()
//       }
//       return "<" + page + ">", nil
//   }
//
//   func fetchAll(parent context.Context, pages []string) ([]string, error) {
//       bodies := make([]string, len(pages))
//       g, ctx := errgroup.WithContext(parent)
//       g.SetLimit(3)
//       for i, page := range pages {
//           g.Go(func() error {
//               body, err := fetch(ctx, page)
//               if err != nil {
//                   return err
//               }
//               bodies[i] = body
//               return nil
//           })
//       }
//       if err := g.Wait(); err != nil {
//           return nil, err
//       }
//       return bodies, nil
//   }
//
//   func main() {
//       bodies, err := fetchAll(context.Background(), []string{"home", "news", "mail", "map"})
//       if err == nil {
//           for _, body := range bodies {
//               fmt.Println(body)
//           }
//       }
//
//       _, err = fetchAll(context.Background(), []string{"home", "endless", "missing"})
//       fmt.Println("not found:", errors.Is(err, fs.ErrNotExist))
//   }
//
// Output:
//   <home>
//   <news>
//   <mail>
//   <map>
//   not found: true

#include <cstdio>
#include <string>
#include <system_error>
#include <vector>
#include <weft/weft.hpp>

namespace {

weft::result<std::string> fetch(const weft::context& ctx, const std::string& page) {
  if (page == "missing") return std::unexpected(std::make_error_code(std::errc::no_such_file_or_directory));
  if (page == "endless") {
    weft::select(ctx.done());  // not ctx.done().recv(): the fiber is bound to ctx, and would be thrown at
    return std::unexpected(ctx.err());
  }
  return "<" + page + ">";
}

weft::result<std::vector<std::string>> fetch_all(const weft::context& parent, const std::vector<std::string>& pages) {
  std::vector<std::string> bodies(pages.size());  // before the group, whose destructor joins those who write here
  weft::group g(parent);
  const weft::context& ctx = g.context();
  g.set_limit(3);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    g.go([&, i]() -> weft::result<void> {
      auto body = fetch(ctx, pages[i]);
      if (!body) return std::unexpected(body.error());
      bodies[i] = *body;
      return {};
    });
  }
  if (auto ended = g.wait(); !ended) return std::unexpected(ended.error());
  return bodies;
}

}  // namespace

int main() {
  weft::run([] {
    auto bodies = fetch_all(weft::background(), {"home", "news", "mail", "map"});
    if (bodies) {
      for (const std::string& body : *bodies) std::puts(body.c_str());
    }

    bodies = fetch_all(weft::background(), {"home", "endless", "missing"});
    const bool not_found = weft::error_of(bodies) == std::errc::no_such_file_or_directory;
    std::printf("not found: %s\n", not_found ? "true" : "false");
  });
}
