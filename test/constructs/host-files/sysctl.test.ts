/** Kernel settings: few, and each says why. */
import { expect, test } from '@jest/globals';
import { aPool, textOf } from './a-pool.ts';

const lines = (services: 'none' | 'kube-proxy') => textOf(aPool({ services }), 'etc/sysctl.d/90-gala.conf').trimEnd().split('\n');

test('every setting stands under its reason', () => {
  const paragraphs = lines('kube-proxy').join('\n').split('\n\n').slice(1);
  expect(paragraphs.map((paragraph) => paragraph.split('\n')[0]?.startsWith('# '))).toEqual([true, true, true]);
  expect(paragraphs.flatMap((paragraph) => paragraph.split('\n').slice(1)).every((line) => /^[a-z0-9_.]+ = [0-9]+$/.test(line))).toBe(true);
});

test('a host forwards only where kube-proxy needs it to', () => {
  expect(lines('kube-proxy')).toContain('net.ipv4.ip_forward = 1');
  expect(lines('none').join('\n')).not.toContain('ip_forward');
});
