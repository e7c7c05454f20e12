import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Testing } from 'cdk8s';
import {
  HostPool,
  HostPoolSpecMachineCpu,
  HostPoolSpecMachineMemory,
  HostPoolSpecShape,
  IpLock,
  IpLockSpecPhase,
  NodeNetwork,
} from '../../imports/gala.internal.js';
import * as kinds from '../../lib/api/kinds.ts';
import { GENERATED, stale, write } from './generated.ts';

test('every generated file in the repository is as it would be made now', async () => {
  expect((await stale(GENERATED)).map(({ path }) => path)).toEqual([]);
});

test('every generated file says how it is made: in its first line or key, or above the table that is', async () => {
  const made = await Promise.all(GENERATED.map(async ({ path, make }) => ({ path, content: await make() })));
  const silent = made.filter(
    ({ path, content }) => !(path === 'docs/gate.md' ? content : content.slice(0, 120)).includes('npm run imports'),
  );
  expect(silent.map(({ path }) => path)).toEqual([]);
});

describe('in a folder of its own', () => {
  const files = [
    { path: 'a.txt', make: () => 'one\n' },
    { path: 'deep/b.txt', make: async () => 'two\n' },
  ];
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gala-generated-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('missing files are written, fresh ones left alone, changed ones named and made again', async () => {
    expect(await write(files, folder)).toEqual(['a.txt', 'deep/b.txt']);
    expect(await write(files, folder)).toEqual([]);
    await writeFile(join(folder, 'deep/b.txt'), 'two, edited\n');
    expect(await stale(files, folder)).toEqual([{ path: 'deep/b.txt', content: 'two\n' }]);
    expect(await write(files, folder)).toEqual(['deep/b.txt']);
    expect(await readFile(join(folder, 'deep/b.txt'), 'utf8')).toBe('two\n');
  });
});

test('the generated constructs render what the kinds accept, in their own spelling', () => {
  const chart = Testing.chart();
  new NodeNetwork(chart, 'network', { spec: { machineId: '9f2c7a41', pool: 'web', trunk: 'bond0' } });
  new IpLock(chart, 'ip', {
    metadata: { name: '10.110.2.37' },
    spec: {
      phase: IpLockSpecPhase.BOUND,
      node: 'bj-a-r12-01',
      mac: '02:67:0a:6e:02:25',
      owner: 'feed/feed-api',
      podUid: '0f8fad5b-d9cb-469f-a165-70867728950e',
    },
  });
  const [network, ip] = Testing.synth(chart).map(({ spec }: { spec: unknown }) => spec);
  expect(kinds.NodeNetwork.spec.parse(network)).toEqual({ machineID: '9f2c7a41', pool: 'web', trunk: 'bond0' });
  expect(kinds.IPLock.spec.parse(ip)).toMatchObject({ phase: 'Bound', podUID: '0f8fad5b-d9cb-469f-a165-70867728950e' });
});

test('the generated constructs take numbers and text where a kind takes both', () => {
  const chart = Testing.chart();
  const machine = { cpu: HostPoolSpecMachineCpu.fromNumber(64), memory: HostPoolSpecMachineMemory.fromString('256Gi') };
  const { intranet } = kinds.HostPool.example;
  new HostPool(chart, 'pool', { spec: { shape: HostPoolSpecShape.INTRANET, intranet, machine } });
  expect(Testing.synth(chart)[0].spec).toEqual({ shape: 'intranet', intranet, machine: { cpu: 64, memory: '256Gi' } });
});
