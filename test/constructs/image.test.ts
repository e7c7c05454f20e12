import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { GALA, imageOf, kubeScheduler } from '../../constructs/image.ts';
import { MINORS } from '../../lib/api/pool.ts';

test('without a registry an image comes from where it is published', () => {
  expect(imageOf({}, kubeScheduler('1.37'))).toMatch(/^registry\.k8s\.io\/kube-scheduler:v1\.37\.\d+$/);
});

test('a mirror has every image by the last part of its path', () => {
  const image = { registry: 'quay.io', repository: 'prometheus/node-exporter', tag: 'v1.9.1' };
  expect(imageOf({ registry: 'harbor.bj.intra/gala' }, image)).toBe('harbor.bj.intra/gala/node-exporter:v1.9.1');
});

test('a digest says which bytes, the tag stays for the reader', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(imageOf({}, { registry: 'quay.io', repository: 'a/b', tag: 'v1', digest })).toBe(`quay.io/a/b:v1@${digest}`);
});

test('every minor has a scheduler of its own', () => {
  for (const minor of MINORS) expect(kubeScheduler(minor).tag).toMatch(new RegExp(`^v${minor}\\.\\d+$`));
});

test("Gala's image has the package's version", () => {
  expect(GALA.tag).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
});

test("Gala's image can't be served by anybody else: .internal names are private", () => {
  expect(GALA.registry).toMatch(/\.internal$/);
});
