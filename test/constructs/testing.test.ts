/** `cdk8s-gala/testing`, as a platform team uses it on its own definitions. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import bjA from '../../clusters/bj-a.ts';
import { defineConcern } from '../../constructs/concern.ts';
import { NodeAgent } from '../../constructs/node-agent.ts';
import { type Rendered, rendered } from '../../constructs/testing.ts';

const golden = mkdtempSync(join(tmpdir(), 'gala-golden-'));
const guard = (image: string) =>
  defineConcern({
    name: 'guard',
    render: (scope) =>
      void new NodeAgent(scope, 'guard', {
        image,
        memory: '64Mi',
        needs: [{ capability: 'BPF', because: 'it loads one XDP program on the trunk' }],
      }),
  });
const before = () => rendered(bjA, { concerns: [guard('harbor.bj.intra/sre/guard:1.0')] });

function write(folder: string, { files }: Rendered): void {
  for (const { path, text } of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
beforeAll(() => write(golden, before()));
afterAll(() => rmSync(golden, { recursive: true }));

const nothing = { creates: [], rolls: [], restarts: [], refused: [], recreates: [], inPlace: [], prunes: [] };

test('nothing is privileged but what was signed off', () => {
  const { privileged } = before();
  expect(privileged.map(({ name }) => name)).toEqual(['gala-cni', 'guard']);
  expect(privileged[1]?.privileges).toEqual([
    { object: 'DaemonSet/gala-system/guard', name: 'guard', privilege: 'capability.BPF', reason: 'it loads one XDP program on the trunk' },
  ]);
});

test('the same definition changes nothing', () => expect(before().changesFrom(golden)).toEqual(nothing));

test('a new image rolls only its own agent', () =>
  expect(rendered(bjA, { concerns: [guard('harbor.bj.intra/sre/guard:1.1')] }).changesFrom(golden)).toEqual({
    ...nothing,
    rolls: ['DaemonSet/guard'],
  }));

test('a concern that is left out is pruned', () =>
  expect(rendered(bjA).changesFrom(golden).prunes).toEqual(expect.arrayContaining(['DaemonSet/guard', 'ServiceAccount/guard'])));

test('less reserved memory restarts the kubelet of the pool', () => {
  const smaller = structuredClone(bjA) as { pools: { web: { machine: { reserved: { memory: string } } } } };
  smaller.pools.web.machine.reserved.memory = '4Gi';
  const { restarts, rolls } = rendered(smaller as never, { concerns: [guard('harbor.bj.intra/sre/guard:1.0')] }).changesFrom(golden);
  expect({ restarts, rolls }).toEqual({ restarts: ['kubelet on web'], rolls: [] });
});

test('images come from the mirror that the definition names', () =>
  expect(rendered(bjA).images).toEqual([
    expect.stringMatching(/^harbor\.bj\.intra\/gala\/gala:/),
    expect.stringMatching(/^harbor\.bj\.intra\/gala\/kube-scheduler:v1\.37\./),
  ]));
