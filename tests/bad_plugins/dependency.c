/* The library that needs_library.c needs. */
int fixture_dependency(void);
__attribute__((visibility("default"))) int fixture_dependency(void) { return 1; }
