// weft's server for bench/http.cpp.
#pragma once

namespace bench {

// Until SIGTERM. Says its port on the first line, and at the end on another how many requests it has handled. Status 1
// where not all of them could be finished.
int serve_http();

}  // namespace bench
