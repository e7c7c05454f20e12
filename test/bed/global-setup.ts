/** Jest's global setup: where the bed is required, its parts are got before the first test. */
import { fetchParts } from './fetch.ts';
import { PARTS, required } from './parts.ts';

export default async function setUp(): Promise<void> {
  // What can't be had fails the tests that need it (describe-bed.ts): they say which part and why.
  if (required()) await fetchParts(PARTS.map(({ name }) => name));
}
