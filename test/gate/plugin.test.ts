import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { ManifestGate, type ManifestGateProperties, type ValidationContext } from '../../lib/gate/plugin.ts';
import { readManifest, readSynth } from '../../lib/gate/read-synth.ts';
import { checkReceipt, RECEIPT, readReceipt, writeReceipt } from '../../lib/gate/receipt.ts';
import { type Any, aCluster, aDeployment } from './builders.ts';

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'gala-gate-'));
});
afterEach(() => rmSync(out, { recursive: true }));

function write(file: string, text: string): string {
  const path = join(out, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const yaml = (...objects: Any[]) => objects.map((object) => stringify(object, { version: '1.1' })).join('---\n');
const good = () => yaml(...aCluster().map(({ object }) => object));
const unpinned = () =>
  yaml(...aCluster(aDeployment((d) => (d.spec.template.spec.containers[0].image = 'nginx'))).map(({ object }) => object));
const FACTS = { services: 'none', kubernetes: '1.37' } as const;

/** Runs the plugin as cdk8s-cli does, on files. */
async function validated(manifests: string[], properties?: ManifestGateProperties) {
  const seen = { violations: [] as Any[], log: [] as string[], status: '', metadata: {} as Record<string, string> };
  const context: ValidationContext = {
    manifests,
    report: {
      addViolation: (violation) => void seen.violations.push(violation),
      submit: (status, metadata) => void Object.assign(seen, { status, metadata }),
    },
    logger: { log: (message) => void seen.log.push(message) },
  };
  await new ManifestGate(properties).validate(context);
  return seen;
}

describe('plugin', () => {
  test('a good cluster passes', async () => {
    expect(await validated([write('bj-a/40-network.yaml', good())])).toMatchObject({
      status: 'success',
      violations: [],
      metadata: { findings: '0 errors, 0 warnings' },
    });
  });

  test('an error fails the report, with rule, reason, remedy, object, path and file', async () => {
    const { status, violations } = await validated([write('bj-a/40-network.yaml', unpinned())]);
    expect(status).toBe('failure');
    expect(violations).toEqual([
      {
        ruleName: 'image-unpinned',
        recommendation: expect.stringContaining('two hosts may run different programs'),
        fix: 'Use a digest (@sha256:…) or a version tag.',
        violatingResources: [
          {
            resourceName: 'feed-api',
            locations: ['Deployment/gala-system/feed-api: spec.template.spec.containers[0].image: image is "nginx"'],
            manifestPath: expect.stringMatching(/bj-a\/40-network\.yaml$/),
          },
        ],
      },
    ]);
  });

  test('a warning is logged and does not fail', async () => {
    const newer = yaml(...aCluster(aDeployment((d) => (d.spec.template.spec.quantumPlacement = {}))).map(({ object }) => object));
    const { status, violations, log } = await validated([write('bj-a/40-network.yaml', newer)], { kubernetes: '1.37' });
    expect({ status, violations }).toEqual({ status: 'success', violations: [] });
    expect(log).toEqual([expect.stringMatching(/quantumPlacement.*\[unknown-field\]$/)]);
  });

  test('references are looked up inside a folder, not across clusters, and host files are no manifests', async () => {
    const [namespace, ...rest] = aCluster().map(({ object }) => object);
    const split = [
      write('a/10-base.yaml', yaml(namespace)),
      write('a/20-rest.yaml', yaml(...rest)),
      write('a/hosts/web/kubelet.yaml', 'kind: KubeletConfiguration\n'),
    ];
    expect(await validated(split)).toMatchObject({ status: 'success' });
    const apart = [write('b/10-base.yaml', yaml(namespace)), write('c/20-rest.yaml', yaml(...rest))];
    const { violations } = await validated(apart);
    expect(violations.map(({ ruleName }) => ruleName)).toEqual(['namespace-unknown']);
  });

  test.each(['hosts/40-network.yaml', 'hosts/bj-a/dist/bj-b/40-network.yaml', 'hosts/hosts/40-network.yaml'])(
    'a folder named hosts on the way to a cluster, or a cluster of that name, hides nothing: %s',
    async (file) => {
      const host = write(join(dirname(file), 'hosts/web/kubelet.yaml'), 'kind: KubeletConfiguration\n');
      expect(await validated([write(file, unpinned()), host])).toMatchObject({
        status: 'failure',
        metadata: { clusters: '1, of which 0 as the receipt has them' },
      });
    },
  );

  test('paths relative to where the app runs, as cdk8s-cli gives them for a relative output folder', async () => {
    const here = process.cwd();
    process.chdir(out);
    try {
      write('hosts/bj-a/40-network.yaml', good());
      write('hosts/bj-a/hosts/web/kubelet.yaml', 'kind: KubeletConfiguration\n');
      const manifests = ['hosts/bj-a/40-network.yaml', 'hosts/bj-a/hosts/web/kubelet.yaml'];
      expect(await validated(manifests)).toMatchObject({ status: 'success', metadata: { findings: '0 errors, 0 warnings' } });
    } finally {
      process.chdir(here);
    }
  });

  test('a file that is no YAML fails with its line', async () => {
    const { status, violations } = await validated([write('a/10-base.yaml', 'kind: A\n  b: c\n')]);
    expect(status).toBe('failure');
    expect(violations[0].violatingResources[0].locations[0]).toMatch(/line 1/);
  });
});

describe('receipt', () => {
  test('folders as the receipt has them are not read again, whatever they hold', async () => {
    const file = write('bj-a/40-network.yaml', unpinned());
    writeReceipt(out, [{ name: 'bj-a', ...FACTS }]);
    expect(await validated([file])).toMatchObject({ status: 'success', metadata: { clusters: '1, of which 1 as the receipt has them' } });
  });

  test('a changed, an added and a removed file are noticed', async () => {
    const file = write('bj-a/40-network.yaml', good());
    const other = write('bj-a/50-more.yaml', '');
    writeReceipt(out, [{ name: 'bj-a', ...FACTS }]);
    const receipt = readReceipt(out, 'bj-a');
    if (receipt === undefined) throw new Error('no receipt');
    expect(checkReceipt(join(out, 'bj-a'), receipt)).toBe(true);
    rmSync(other);
    expect(checkReceipt(join(out, 'bj-a'), receipt)).toBe(false);
    write('bj-a/60-added.yaml', '');
    expect(checkReceipt(join(out, 'bj-a'), receipt)).toBe(false);
    rmSync(join(out, 'bj-a/60-added.yaml'));
    write('bj-a/50-more.yaml', '');
    write('bj-a/40-network.yaml', unpinned());
    expect(checkReceipt(join(out, 'bj-a'), receipt)).toBe(false);
    expect(await validated([file, other])).toMatchObject({ status: 'failure' });
  });

  test("a changed folder is checked under its cluster's own facts", async () => {
    const callsService = yaml(
      ...aCluster(aDeployment((d) => (d.spec.template.spec.containers[0].args = ['--at=http://db.web.svc:1']))).map(({ object }) => object),
    );
    const file = write('bj-a/40-network.yaml', good());
    writeReceipt(out, [{ name: 'bj-a', services: 'kube-proxy', kubernetes: '1.36' }]);
    write('bj-a/40-network.yaml', callsService);
    expect(await validated([file])).toMatchObject({ status: 'success' });
    rmSync(join(out, RECEIPT));
    expect((await validated([file])).violations).toMatchObject([{ ruleName: 'needs-service' }]);
  });

  test('a receipt that is torn counts as none', () => {
    write('bj-a/40-network.yaml', good());
    write(RECEIPT, '{"clusters": {"bj-a": ');
    expect(readReceipt(out, 'bj-a')).toBeUndefined();
    write(RECEIPT, '{"clusters": {"bj-a": 1}}');
    expect(readReceipt(out, 'bj-a')).toBeUndefined();
  });
});

describe('reading a synth', () => {
  test('all manifests and host files come back, paths relative to the folder, in a fixed order', () => {
    write('bj-a/40-b.yaml', 'kind: B\n---\n---\nkind: C\n');
    write('bj-a/10-a.yaml', 'kind: A\n');
    write('bj-a/hosts/web/etc/sysctl.d/90-gala.conf', 'a = 1\n');
    write('bj-a/SUMMARY.md', '# bj-a\n');
    const { objects, hosts, problems } = readSynth(join(out, 'bj-a'));
    expect(objects.map(({ file, object }) => [file, object.kind])).toEqual([
      ['10-a.yaml', 'A'],
      ['40-b.yaml', 'B'],
      ['40-b.yaml', 'C'],
    ]);
    expect(hosts).toEqual([{ file: 'hosts/web/etc/sysctl.d/90-gala.conf', text: 'a = 1\n' }]);
    expect(problems).toEqual([]);
  });

  test('YAML is read as kubectl reads it', () => {
    const { objects } = readManifest('a.yaml', 'yes: yes\ntime: 2027-02-16T20:00:00Z\nday: 2027-02-16\nclock: 12:30\nquoted: "yes"\n');
    expect(objects[0]?.object).toMatchObject({ time: '2027-02-16T20:00:00Z', day: '2027-02-16', clock: '12:30', quoted: 'yes' });
    expect(Object.values(objects[0]?.object ?? {})[0]).toBe(true);
  });

  test('a key that stands twice is a problem with its line', () => {
    expect(readManifest('a.yaml', 'a: 1\nb: 2\na: 3\n').problems).toEqual([
      { file: 'a.yaml', line: 3, message: expect.stringContaining('unique') },
    ]);
  });
});
