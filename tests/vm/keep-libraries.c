// Preloaded into sanitized tests: dlclose() that closes nothing. The loader unloads drivers and
// layers when an instance ends, and a leak report made after that names "unknown module": a
// driver's leaks could not be told from the layer's.
int dlclose(void* library) {
    (void)library;
    return 0;
}
