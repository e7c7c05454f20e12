import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { aDist } from './a-dist.ts';
import { gala } from './gala.ts';

const OWN = 'k8s.example/scheduler:v1 k8s.example/scheduler:v1\n';
const MIRRORED = 'k8s.example/scheduler:v1 harbor.example/scheduler:v1\n';

test('an image is one line with all clusters that pull it from the same place', async () => {
  const dist = aDist({ a: { 'images.txt': OWN }, b: { 'images.txt': OWN }, c: { 'images.txt': MIRRORED } });
  expect(await gala('images', '--dist', dist)).toEqual({
    code: 0,
    out: 'k8s.example/scheduler:v1  → harbor.example/scheduler:v1  c\nk8s.example/scheduler:v1  (not mirrored)  a, b\n',
    err: '',
  });
});

test('a cluster that is named twice is listed once', async () => {
  const dist = aDist({ hello: { 'images.txt': OWN } });
  const { out } = await gala('images', 'hello', 'hello', '--dist', dist);
  expect(out).toBe('k8s.example/scheduler:v1  (not mirrored)  hello\n');
});

test('only the clusters that are named are listed', async () => {
  const dist = aDist({ a: { 'images.txt': OWN }, c: { 'images.txt': MIRRORED } });
  expect((await gala('images', 'c', '--dist', dist)).out).toBe('k8s.example/scheduler:v1  → harbor.example/scheduler:v1  c\n');
});

test('JSON and YAML hold the same: where it is published, where it is pulled, by whom', async () => {
  const dist = aDist({ c: { 'images.txt': MIRRORED } });
  const images = [{ from: 'k8s.example/scheduler:v1', to: 'harbor.example/scheduler:v1', clusters: ['c'] }];
  expect(JSON.parse((await gala('images', '--dist', dist, '-o', 'json')).out)).toEqual(images);
  expect(parse((await gala('images', '--dist', dist, '-o', 'yaml')).out)).toEqual(images);
});

test('an unknown cluster is answered with the nearest one', async () => {
  const dist = aDist({ 'bj-a': {}, hello: {} });
  expect(await gala('images', 'bja', '--dist', dist)).toEqual({
    code: 2,
    out: '',
    err: `${dist}: no cluster 'bja'; there are bj-a, hello. Did you mean 'bj-a'?\n`,
  });
});

test('a folder without a synth is said to be one', async () => {
  const dist = join(aDist(), 'nowhere');
  const { code, err } = await gala('images', '--dist', dist);
  expect(code).toBe(2);
  expect(err).toContain(`${dist}: no synthesized cluster`);
});

test('a synth that lost its list of images is bad input, not a crash', async () => {
  const dist = aDist();
  rmSync(join(dist, 'hello/images.txt'));
  expect(await gala('images', '--dist', dist)).toMatchObject({
    code: 2,
    err: expect.stringContaining('hello/images.txt is missing'),
  });
});
