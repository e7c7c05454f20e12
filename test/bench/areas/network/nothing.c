/** The least that a host can start: what the same machine takes for a program that does nothing. */
int main(void) {
  return 0;
}
