import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { aDeployment, aDist } from './a-dist.ts';
import { gala } from './gala.ts';

const BEFORE = aDist({ 'bj-a': { '50-web.yaml': aDeployment() }, 'bj-b': { '50-web.yaml': aDeployment() } });
const ROLLED = aDist({ 'bj-a': { '50-web.yaml': aDeployment({ image: 'r.example/web:v2' }) } });
const REFUSED = aDist({ 'bj-a': { '50-web.yaml': aDeployment({ app: 'web2' }) } });

const diff = (dist: string, ...args: string[]) => gala('diff', 'bj-a', '--dist', dist, '--against', ...args);

test('what rolls is said with what changed, and is no failure', async () => {
  const { code, out, err } = await diff(ROLLED, BEFORE);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/ROLLS +Deployment gala-system\/web +image v1 → v2/);
});

test('the earlier folder may be the cluster’s own', async () => {
  expect(await diff(ROLLED, join(BEFORE, 'bj-a'))).toEqual(await diff(ROLLED, BEFORE));
});

test('the same synth twice is no change', async () => {
  expect(await diff(BEFORE, BEFORE)).toEqual({ code: 0, out: '  nothing changes\n', err: '' });
});

test('what the API server would refuse ends with exit code 3, in every format', async () => {
  expect(await diff(REFUSED, BEFORE)).toMatchObject({ code: 3, out: expect.stringContaining('REFUSED') });
  const json = await diff(REFUSED, BEFORE, '-o', 'json');
  const yaml = await diff(REFUSED, BEFORE, '-o', 'yaml');
  expect([json.code, yaml.code]).toEqual([3, 3]);
  expect(JSON.parse(json.out)).toMatchObject({ refused: [{ object: 'Deployment/gala-system/web' }], prunes: [] });
  expect(parse(yaml.out)).toEqual(JSON.parse(json.out));
});

test('two different clusters are not compared', async () => {
  const other = join(BEFORE, 'bj-b');
  expect(await diff(ROLLED, other)).toEqual({
    code: 2,
    out: '',
    err: `${other}: this is a synth of 'bj-b'; only an earlier one of 'bj-a' tells what applying would do. Name the earlier folder of 'bj-a', or the folder that holds those of all clusters.\n`,
  });
});

test('a mistyped cluster is found before the folder is blamed', async () => {
  expect(await gala('diff', 'bja', '--dist', ROLLED, '--against', BEFORE)).toEqual({
    code: 2,
    out: '',
    err: `${ROLLED}: no cluster 'bja'; there are bj-a. Did you mean 'bj-a'?\n`,
  });
});

test('a folder without an earlier synth is bad input', async () => {
  expect(await diff(ROLLED, '/nowhere')).toMatchObject({ code: 2, err: expect.stringContaining("/nowhere: no synth of 'bj-a'") });
});

test('a file that is no YAML is named with its line', async () => {
  const broken = aDist({ 'bj-a': { '50-web.yaml': 'kind: Deployment\nkind: Service\n' } });
  const { code, err } = await diff(broken, BEFORE);
  expect(code).toBe(2);
  expect(err).toContain(`${broken}/bj-a/50-web.yaml: line 2: `);
});
