/** What anybody may read: the API's own description, and what its problems mean. */
import type { Handler } from './api.ts';
import { openapi } from './openapi.ts';
import { problemsPage } from './problem.ts';

export function openHandlers(version: string): Record<'openapi' | 'problems', Handler> {
  // Made once: every caller gets the same bytes.
  const description = JSON.stringify(openapi(version));
  const page = problemsPage();
  return {
    openapi: { handle: async () => ({ status: 200, body: description }) },
    problems: { handle: async () => ({ status: 200, body: page, contentType: 'text/markdown; charset=utf-8' }) },
  };
}
