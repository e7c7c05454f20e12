import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { defineCluster, intranet } from '../../lib/api/definition.ts';
import { type BedCluster, startCluster } from './cluster.ts';
import { describeBed } from './describe-bed.ts';
import { BUSINESS } from './images.ts';
import { standInNetwork } from './stand-in-network.ts';

const TRUNK = 'bond0';
/** On a machine that is busy otherwise; an idle one needs a tenth. */
const BUSY_MS = 420_000;

const definition = defineCluster({
  name: 'bed',
  kubernetes: '1.37',
  apiServer: 'https://the-bed.internal:6443',
  pools: {
    web: intranet({
      racks: { r1: 'node-1' },
      trunk: TRUNK,
      vlans: { 110: { subnet: '10.110.0.0/24', gateway: '10.110.0.1', addresses: '10.110.0.10-10.110.0.29' } },
      machine: { cpu: 1, memory: '1Gi', reserved: { cpu: '250m', memory: '256Mi' } },
    }),
  },
});

const standIn = (node: string) => {
  const tens = node === 'system' ? 3 : 4;
  return standInNetwork({ trunk: TRUNK, vlan: 110, subnet: '10.110.0.0/24', first: `10.110.0.${tens}0`, last: `10.110.0.${tens}9` });
};

describeBed('a cluster as synth rendered it', ['control-plane', 'nodes', 'containernetworking-plugins'], () => {
  let cluster: BedCluster;
  beforeAll(async () => {
    cluster = await startCluster({ definition, files: standIn });
  }, BUSY_MS);
  afterAll(async () => await cluster?.stop());

  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.bed.kubectl(args, { seconds: 290 });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  const waitFor = async (what: string, object: string, namespace = 'gala-system') =>
    expect(await kubectl('wait', '-n', namespace, `--for=${what}`, object, '--timeout=280s')).toMatch(/ met$/m);

  test(
    "has Gala's programs running from its image, on the system node and under the default scheduler",
    async () => {
      await waitFor('jsonpath={.status.availableReplicas}=1', 'deployment/gala-controller');
      await waitFor('jsonpath={.status.availableReplicas}=1', 'deployment/gala-scheduler');
      expect(await kubectl('logs', '-n', 'gala-system', 'deployment/gala-controller')).not.toBe('');
    },
    BUSY_MS,
  );

  test(
    'knows its host as one of the pool, and a pod gets a slot there and runs',
    async () => {
      await waitFor('create', 'nodenetwork/node-1');
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web' },
        spec: {
          schedulerName: 'gala-scheduler',
          containers: [{ name: 'main', image: BUSINESS, resources: { requests: { cpu: '10m', memory: '16Mi' } } }],
        },
      };
      const [applied] = await cluster.bed.apply([pod as never]);
      expect(applied).toMatchObject({ result: 'created' });
      await waitFor('condition=Ready', 'pod/web', 'default');
      const { metadata, spec } = (await cluster.bed.request('GET', '/api/v1/namespaces/default/pods/web')).body;
      expect(spec.nodeName).toBe('node-1');
      const [locked] = (await cluster.bed.request('GET', '/apis/gala.internal/v1alpha1/iplocks')).body.items;
      expect(locked.spec).toMatchObject({ node: 'node-1', podUID: metadata.uid });
      expect(metadata.annotations).toHaveProperty(['gala.internal/slot']);
    },
    BUSY_MS,
  );
});
