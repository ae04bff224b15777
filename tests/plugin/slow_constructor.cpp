// A library that computes for some milliseconds while it is loaded, with the loader's lock held, and again when it is
// unloaded. In C's terms alone, so that dlclose really unloads it.
namespace {

volatile long constructed = 0;

void compute() {
  for (long i = 0; i < 5'000'000; ++i) asm volatile("" ::: "memory");
}

[[gnu::constructor]] void construct() {
  compute();
  constructed = 42;
}

[[gnu::destructor]] void destroy() { compute(); }

}  // namespace

extern "C" [[gnu::visibility("default")]] long weft_test_plugin_value() { return constructed; }
