import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../lib/api/manifest.ts';
import { type Bed, startControlPlane } from './control-plane.ts';
import { describeBed } from './describe-bed.ts';
import { until } from './process.ts';
import { alive, type BedRecord, folders, read, sweep } from './records.ts';
import { environment, jestOn } from './samples/a-run.ts';

const aConfigMap = (name: string, more: object = { data: { key: 'value' } }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});

const aKind = (plural: string, kind: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.bed.example` },
  spec: {
    group: 'bed.example',
    scope: 'Namespaced',
    names: { plural, kind },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } },
      },
    ],
  },
});

const aPod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'registry.example/main:1' }] },
});

describeBed('a control plane', ['control-plane'], () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await startControlPlane();
  });
  afterAll(async () => await bed?.stop());

  test('is the version that the bed promises, and its controllers and scheduler work', async () => {
    expect((await bed.request('GET', '/version')).body).toMatchObject({ major: '1', minor: '37' });
    const [applied] = await bed.apply([aPod('nowhere-to-go')]);
    expect(applied?.live).toMatchObject({ spec: { serviceAccountName: 'default' } });
    const waiting = await bed.kubectl([
      'wait',
      'pod/nowhere-to-go',
      '--for=jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}=Unschedulable',
      '--timeout=45s',
    ]);
    expect(waiting).toMatchObject({ code: 0, stderr: '' });
  });

  test('is reached by kubectl, which says no with its own exit code', async () => {
    expect(await bed.kubectl(['create', '-f', '-'], { stdin: JSON.stringify(aConfigMap('by-kubectl')) })).toMatchObject({
      code: 0,
      stdout: 'configmap/by-kubectl created\n',
    });
    const { code, stderr } = await bed.kubectl(['get', 'configmap', 'nobody']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'Error from server (NotFound): configmaps "nobody" not found\n' });
  });

  test('keeps keys and tokens to its user, and lets in nobody without one', async () => {
    const secrets = ['kubeconfig', 'tokens.csv', 'service-accounts.key', 'certificates/apiserver.key'];
    expect(secrets.map((file) => statSync(join(bed.folder, file)).mode & 0o077)).toEqual([0, 0, 0, 0]);
    const answer = await bed.request('GET', '/api/v1/secrets', undefined, { authorization: 'Bearer guessed' });
    expect(answer.status).toBe(401);
  });

  describe('apply', () => {
    test('tells created, unchanged and changed apart', async () => {
      const results = async (object: KubeObject) => (await bed.apply([object])).map(({ result }) => result);
      expect(await results(aConfigMap('thrice'))).toEqual(['created']);
      expect(await results(aConfigMap('thrice'))).toEqual(['unchanged']);
      expect(await results(aConfigMap('thrice', { data: { key: 'another' } }))).toEqual(['changed']);
    });

    test('refuses a field that the API server does not know, and says so', async () => {
      const [typo] = await bed.apply([aConfigMap('typo', { daata: { key: 'value' } })]);
      expect(typo).toMatchObject({
        object: 'ConfigMap/typo',
        result: 'refused',
        message: expect.stringContaining('.daata: field not declared in schema'),
      });
      expect((await bed.request('GET', '/api/v1/namespaces/default/configmaps/typo')).status).toBe(404);
    });

    test('refuses a kind that the API server does not know', async () => {
      const [unknown] = await bed.apply([{ apiVersion: 'bed.example/v1', kind: 'Nothing', metadata: { name: 'a' } }]);
      expect(unknown).toMatchObject({ result: 'refused', message: 'no kind Nothing in bed.example/v1 on this server' });
    });

    test('hands on what the API server warns of', async () => {
      const pod = aPod('warned') as unknown as { spec: object };
      const [warned] = await bed.apply([
        {
          ...aPod('warned'),
          spec: { ...pod.spec, topologySpreadConstraints: [], volumes: [], nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
        },
      ]);
      expect(warned?.warnings).toEqual([expect.stringMatching(/^spec\.nodeSelector\[beta\.kubernetes\.io\/os\]: deprecated/)]);
    });

    test('waits for a new kind before its objects', async () => {
      const applied = await bed.apply([
        aKind('crates', 'Crate'),
        { apiVersion: 'bed.example/v1', kind: 'Crate', metadata: { name: 'a' }, size: 3 },
      ]);
      expect(applied.map(({ result }) => result)).toEqual(['created', 'created']);
      // A second kind in a group that is known already is not yet in what was read of the group.
      const second = await bed.apply([aKind('boxes', 'Box'), { apiVersion: 'bed.example/v1', kind: 'Box', metadata: { name: 'a' } }]);
      expect(second.map(({ result }) => result)).toEqual(['created', 'created']);
    });

    test('leaves nothing behind on a dry run', async () => {
      const [dry] = await bed.apply([aConfigMap('dry')], { dryRun: true });
      expect(dry?.result).toBe('created');
      expect((await bed.request('GET', '/api/v1/namespaces/default/configmaps/dry')).status).toBe(404);
    });
  });

  test('a part that was killed is away, and once started again it goes on with what there was', async () => {
    await bed.apply([aConfigMap('before')]);
    await bed.end('kube-apiserver');
    await expect(bed.request('GET', '/readyz')).rejects.toThrow(/ECONNRE/);
    const server = bed.again('kube-apiserver');
    await until('ready', server, 60, async () => (await bed.request('GET', '/readyz')).status === 200);
    expect((await bed.request('GET', '/api/v1/namespaces/default/configmaps/before')).body).toMatchObject({ data: { key: 'value' } });
  });
});

describeBed('several control planes at once', ['control-plane'], () => {
  test.each([
    ['in namespaces', undefined],
    ['on loopback', 'loopback' as const],
  ])('%s do not clash, and end without a trace', async (_, network) => {
    const options = { network, without: ['kube-controller-manager', 'kube-scheduler'] } as const;
    const beds = await Promise.all([startControlPlane(options), startControlPlane(options)]);
    const [one, two] = beds as [Bed, Bed];
    const records = beds.map(({ folder }) => read(folder) as BedRecord);
    try {
      expect(one.url).not.toBe(two.url);
      await one.apply([aConfigMap('only-here')]);
      expect((await two.request('GET', '/api/v1/namespaces/default/configmaps/only-here')).status).toBe(404);
      expect(records.flatMap(({ processes }) => processes).every(alive)).toBe(true);
    } finally {
      await Promise.all(beds.map((bed) => bed.stop()));
    }
    expect(records.flatMap(({ processes }) => processes).filter(alive)).toEqual([]);
    expect(beds.filter(({ folder }) => existsSync(folder))).toEqual([]);
  });

  test.each([
    ['kube-apiserver', '--authorization-mode=Wishful', /kube-apiserver ended with exit code 1 before .*Wishful/s],
    ['etcd', '--election-timeout=1', /etcd ended with exit code \d before .*election-timeout/s],
    ['kube-scheduler', '--secure-port=-1', /kube-scheduler ended with exit code 1 before ready.*secure-port/s],
  ] as const)('one whose %s cannot start says so at once, with its last lines, and leaves nothing', async (part, flag, message) => {
    await expect(startControlPlane({ flags: { [part]: [flag] } })).rejects.toThrow(message);
    // Other test runs on this machine have folders of their own.
    expect(folders().filter((folder) => basename(folder).startsWith(`${process.pid}-`))).toEqual([]);
  });
});

describeBed('a test run that is killed', ['control-plane'], () => {
  test('takes its control plane with it, and the next start clears its folder away', async () => {
    const run = jestOn('holds-a-bed', environment({ GALA_BED_BIN: process.env.GALA_BED_BIN ?? '' }));
    const folder = await new Promise<string>((resolve, reject) => {
      let said = '';
      run.stderr?.on('data', (data) => {
        said += data;
        const holds = /^HOLDS (.*)$/m.exec(said)?.[1];
        if (holds) resolve(holds);
      });
      run.once('exit', () => reject(new Error(said)));
    });
    const { owner, processes } = read(folder) as BedRecord;
    expect(processes.length).toBeGreaterThanOrEqual(4);
    expect([owner, ...processes].filter(alive)).toHaveLength(processes.length + 1);

    run.kill('SIGKILL');
    for (let tries = 0; tries < 1200 && [owner, ...processes].some(alive); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect([owner, ...processes].filter(alive)).toEqual([]);
    expect(existsSync(folder)).toBe(true);
    sweep();
    expect(existsSync(folder)).toBe(false);
  });
});
