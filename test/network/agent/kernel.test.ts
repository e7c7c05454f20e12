/** What of a plan is asked of the kernel of a node; what it does then is in wiring/kernel.test.ts and conformance.test.ts. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { kernel } from '../../../lib/network/agent/kernel.ts';
import type { Line } from '../../../lib/network/wiring/step.ts';

/** In the place of /proc/sys. */
let procSys: string;
beforeEach(() => {
  procSys = mkdtempSync(join(tmpdir(), 'gala-kernel-'));
});
afterEach(() => rmSync(procSys, { recursive: true, force: true }));

const setting = (line: string): Line => ({ where: 'pod', tool: 'sysctl', line });
/** In a namespace that is not there: whatever is asked of it fails. */
const run = (line: string) => kernel({ procSys }).run([setting(line)], '/run/netns/none');

test('on a host that was booted without IPv6 there is nothing to be switched off', async () => {
  await run('net.ipv6.conf.default.disable_ipv6=1');
  mkdirSync(join(procSys, 'net/ipv6'), { recursive: true });
  await expect(run('net.ipv6.conf.default.disable_ipv6=1')).rejects.toThrow();
});

test('a setting that is missing otherwise is told: the pod would not be as it was planned', async () => {
  await expect(run('net.ipv6.conf.default.disable_ipv6=0')).rejects.toThrow();
  await expect(run('net.ipv4.conf.default.arp_ignore=1')).rejects.toThrow();
});
