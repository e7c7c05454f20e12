/** `gala doctor` against a real API server: before and after Gala's objects are there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { rendered } from '../../constructs/testing.ts';
import type { Finding } from '../../lib/cli/doctor-checks.ts';
import { type Bed, startControlPlane } from '../bed/control-plane.ts';
import { describeBed } from '../bed/describe-bed.ts';
import { aBedCluster } from '../scheduling/a-bed-cluster.ts';
import { gala } from './gala.ts';

const aNode = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'r1-01', labels: { 'gala.internal/pool': 'web' } },
  spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] },
};
/** What the kubelet and the agent of a node would write. */
const STATUS = { nodeInfo: { kubeletVersion: 'v1.37.2', containerRuntimeVersion: 'containerd://1.7.27' } };

describeBed('gala doctor', ['control-plane'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-scheduler'] });
  }, 300_000);
  afterAll(() => bed?.stop());
  const ask = async () => {
    const { code, out, err } = await gala('doctor', '-o', 'json', '--kubeconfig', bed.kubeconfig);
    expect(err).toBe('');
    return { code, findings: JSON.parse(out).findings as Finding[] };
  };
  const named = (findings: readonly Finding[], verdict: Finding['verdict']) =>
    findings.filter((one) => one.verdict === verdict).map(({ check }) => check);

  test('where nothing of Gala is, the kinds lack, and nothing is said of the network', async () => {
    const { code, findings } = await ask();
    expect(code).toBe(3);
    expect(named(findings, 'wrong')).toEqual(['kinds']);
    expect(named(findings, 'ok')).toEqual(['kubernetes', 'version-skew']);
  });

  test('who may not is told of all rights at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gala-doctor-'));
    try {
      const kubeconfig = join(folder, 'kubeconfig');
      const config = JSON.parse((await bed.kubectl(['config', 'view', '--raw', '-o', 'json'])).stdout);
      config.users[0].user.as = 'jane';
      writeFileSync(kubeconfig, JSON.stringify(config));
      const { code, err } = await gala('doctor', '--kubeconfig', kubeconfig);
      // Which was refused first stands first.
      const all = err.split('\n')[1]!;
      expect([code, all]).toEqual([3, expect.stringMatching(/^For gala doctor jane may not list /)]);
      for (const what of [/\bnodes\b/, /customresourcedefinitions\.apiextensions\.k8s\.io/, /daemonsets\.apps in namespace gala-system/])
        expect(all).toMatch(what);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('of a cluster without kube-proxy it tells what the API shows, and what it does not', async () => {
    await bed.apply(rendered({ ...aBedCluster(1, '10.110.1.0-10.110.1.9'), concerns: ['scheduling', 'network'] } as never).objects);
    await bed.apply([aNode as never]);
    const path = '/api/v1/nodes/r1-01/status';
    const { body } = await bed.request('GET', path);
    expect(
      await bed.request('PUT', path, {
        ...body,
        status: { ...body.status, ...STATUS, nodeInfo: { ...body.status?.nodeInfo, ...STATUS.nodeInfo } },
      }),
    ).toMatchObject({ status: 200 });
    const { code, findings } = await ask();
    expect(code).toBe(3);
    expect(named(findings, 'wrong')).toEqual(['containerd', 'node-cidrs']);
    // No kubelet answers here, and the API server is no pod.
    expect(named(findings, 'unknown')).toEqual(['wires', 'iptables-chains', 'aggregator-routing']);
  });
});
