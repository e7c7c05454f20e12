/** docs/kubelet-profile.md says what is so. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { kubelet } from '../../lib/api/kubelet.ts';
import { aPool, textOf } from './host-files/a-pool.ts';

const page = readFileSync(new URL('../../docs/kubelet-profile.md', import.meta.url), 'utf8');

test('the page lists every option of the kubelet, in the words of its schema', () => {
  const rows = Object.entries(kubelet.shape).map(
    ([option, schema]) => `| \`${option}\` | ${z.globalRegistry.get(schema.unwrap())?.description} |`,
  );
  expect(page.split('\n').filter((line) => /^\| `[a-zA-Z]+` \|/.test(line))).toEqual(rows);
});

test('the drop-in on the page is the one that comes out', () => {
  const pool = aPool({ cluster: 'hello', maxPods: 133, wiredBy: 'gala', locks: 'enforced' });
  expect(page).toContain(`\`\`\`yaml\n${textOf(pool, 'etc/kubernetes/kubelet.conf.d/40-gala-network.conf')}\`\`\`\n`);
});
