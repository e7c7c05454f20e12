/** EC2 user data: what an instance is told at launch, and what is never told before. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { NETWORK_MANAGER_FILE, NETWORKD_FILE } from '../../../constructs/host-files/pod-enis.ts';
import { fillUserData, kubeletProfile, LAUNCH_VALUES } from '../../../constructs/kubelet-profile.ts';
import { launchedBytes, neededValues } from '../../../lib/api/launch-values.ts';
import { anEc2Pool, aPool, dropInsOf, GiB, problemsOf, textOf } from './a-pool.ts';

const CLOUD_CONFIG = 'user-data/cloud-config.txt';
const NODEADM = 'user-data/nodeadm.txt';
const anEksPool = (over = {}) =>
  anEc2Pool({ services: 'kube-proxy', join: { eks: 'cloud-a' }, apiServer: 'https://k8s.cloud-a.intra', ...over });

interface Written {
  readonly path: string;
  readonly content: string;
  readonly permissions?: string;
  readonly encoding?: string;
}
const written = (text: string): readonly Written[] => parse(text).write_files;
const contentOf = (text: string, path: string): string => written(text).find((file) => file.path === path)?.content ?? '';

describe('with a bootstrap token', () => {
  const pool = anEc2Pool({ machine: { cpu: 16, memoryBytes: 32 * GiB, swapBytes: 8 * GiB } });
  const text = textOf(pool, CLOUD_CONFIG);

  test('cloud-init knows it by its first line, people by the second', () => {
    expect(text.split('\n').slice(0, 2)).toEqual([
      '#cloud-config',
      '# Rendered from cluster bj-a, pool burst. Change the definition, not this file.',
    ]);
  });

  test('writes exactly the files that stand in the folder, and then its own', () => {
    const onDisk = kubeletProfile(pool).files.filter(({ path }) => path.startsWith('etc/'));
    expect(
      written(text)
        .slice(0, onDisk.length)
        .map(({ path, content }) => ({ path: path.slice(1), text: content }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    ).toEqual(onDisk);
    expect(
      written(text)
        .slice(onDisk.length)
        .map(({ path, permissions }) => [path, permissions]),
    ).toEqual([
      ['/etc/kubernetes/pki/ca.crt', undefined],
      ['/etc/kubernetes/bootstrap-kubelet.conf', '0600'],
      ['/usr/local/sbin/gala-instance', '0755'],
    ]);
  });

  test('holds no secret: token and CA are put in at launch', () => {
    expect(neededValues(text)).toEqual(['certificateAuthority', 'bootstrapToken']);
    expect(parse(contentOf(text, '/etc/kubernetes/bootstrap-kubelet.conf'))).toMatchObject({
      clusters: [{ cluster: { server: 'https://10.8.2.10:6443' } }],
      users: [{ user: { token: LAUNCH_VALUES.bootstrapToken } }],
    });
  });

  test('asks the instance who it is, then sysctl, swap, kubelet', () => {
    expect(parse(text).runcmd).toEqual([
      ['/usr/local/sbin/gala-instance'],
      ['sysctl', '-p', '/etc/sysctl.d/90-gala.conf'],
      ['systemctl', 'daemon-reload'],
      ['systemctl', 'enable', '--now', 'var-lib-gala-swapfile.swap'],
      ['systemctl', 'enable', 'kubelet'],
      ['systemctl', 'restart', 'kubelet'],
    ]);
  });

  test('renews its certificates and asks for serving ones', () => {
    expect(dropInsOf(kubeletProfile(pool).files).find(({ name }) => name === '35-gala-join.conf')?.config).toMatchObject({
      rotateCertificates: true,
      serverTLSBootstrap: true,
    });
  });

  test('its kubelet answers nobody who has not proven who they are, and starts from a configuration file', () => {
    const { files } = kubeletProfile(pool);
    expect(dropInsOf(files).find(({ name }) => name === '35-gala-join.conf')?.config).toMatchObject({
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
      authorization: { mode: 'Webhook' },
      readOnlyPort: 0,
    });
    const unit = files.find(({ path }) => path.endsWith('kubelet.service.d/50-gala.conf'));
    expect(unit?.text).toContain(' --config=/etc/kubernetes/kubelet.conf.d/35-gala-join.conf ');
  });

  test('at boot an instance becomes a node named after itself, with providerID and zone, by IMDSv2 alone', () => {
    booted(text, {}, ({ run, written }) => {
      expect(run).toEqual({ status: 0, stderr: '' });
      expect(parse(written('/etc/kubernetes/kubelet.conf.d/75-gala-instance.conf'))).toEqual({
        apiVersion: 'kubelet.config.k8s.io/v1beta1',
        kind: 'KubeletConfiguration',
        providerID: 'aws:///ap-northeast-1a/i-0abc',
      });
      expect(written('/etc/default/gala-kubelet')).toBe(
        'GALA_KUBELET_ARGS="--config-dir=/etc/kubernetes/kubelet.conf.d --node-labels=gala.internal/pool=burst,topology.kubernetes.io/zone=ap-northeast-1a,topology.kubernetes.io/region=ap-northeast-1,node.kubernetes.io/instance-type=c5.4xlarge --hostname-override=i-0abc"\n',
      );
      expect(() => written(NETWORKD_FILE)).toThrow('ENOENT');
    });
  });

  describe('whose pods have ENIs of their own', () => {
    const ofPods = textOf({ ...pool, wiredBy: 'gala' }, CLOUD_CONFIG);

    test('keeps systemd-networkd and NetworkManager off all but the own link of the instance, whatever that is called', () => {
      booted(ofPods, { ens34: OWN_MAC, ens35: '06:aa:bb:cc:dd:02' }, ({ run, written }) => {
        expect(run).toEqual({ status: 0, stderr: '' });
        expect(written(NETWORKD_FILE)).toMatch(/^\[Match\]\nDriver=ena\nProperty=!INTERFACE=ens34\n\[Link\]\nUnmanaged=yes\n$/m);
        expect(written(NETWORK_MANAGER_FILE)).toContain(`[keyfile]\nunmanaged-devices=driver:ena,except:mac:${OWN_MAC}\n`);
      });
    });

    test('keeps them off nothing where its own link is not found: it would have no network', () => {
      booted(ofPods, { ens35: '06:aa:bb:cc:dd:02' }, ({ run, written }) => {
        expect(run).toMatchObject({ status: 0, stderr: expect.stringContaining(OWN_MAC) });
        for (const file of [NETWORKD_FILE, NETWORK_MANAGER_FILE]) expect(() => written(file)).toThrow('ENOENT');
        expect(written('/etc/default/gala-kubelet')).toContain('i-0abc');
      });
    });

    test('has cloud-init configure links at its first boot, and not those that are plugged in', () => {
      expect(parse(ofPods).updates).toEqual({ network: { when: ['boot-new-instance'] } });
    });
  });
});

const OWN_MAC = '06:aa:bb:cc:dd:01';

/** Runs what an instance runs at its first boot, in a folder in place of its disk. @param links MAC addresses by name */
function booted(
  text: string,
  links: Readonly<Record<string, string>>,
  look: (seen: { run: object; written: (path: string) => string }) => void,
): void {
  const root = mkdtempSync(join(tmpdir(), 'gala-instance-'));
  // Stands for the metadata service: a token is made by PUT, and nothing is told without it.
  const curl = `#!/bin/sh
for last; do :; done
case "$*" in *'-X PUT'*'ttl-seconds: 300'*"$last") [ "$last" = http://169.254.169.254/latest/api/token ] && printf TOKEN; exit 0;; esac
case "$*" in *'X-aws-ec2-metadata-token: TOKEN'*) ;; *) exit 22;; esac
case "$last" in
  */meta-data/instance-id) printf i-0abc;;
  */meta-data/instance-type) printf c5.4xlarge;;
  */meta-data/placement/availability-zone) printf ap-northeast-1a;;
  */meta-data/placement/region) printf ap-northeast-1;;
  */meta-data/mac) printf ${OWN_MAC};;
  *) exit 22;;
esac
`;
  try {
    for (const [name, program] of Object.entries({ curl, systemctl: '#!/bin/sh\nexit 3\n' })) {
      writeFileSync(join(root, name), program);
      chmodSync(join(root, name), 0o755);
    }
    for (const folder of ['etc/kubernetes/kubelet.conf.d', 'etc/default', ...Object.keys(links).map((name) => `sys/class/net/${name}`)])
      mkdirSync(join(root, folder), { recursive: true });
    for (const [name, mac] of Object.entries(links)) writeFileSync(join(root, 'sys/class/net', name, 'address'), `${mac}\n`);
    const script = contentOf(text, '/usr/local/sbin/gala-instance')
      .replaceAll(/(^cat > | )\/etc\/(?=\S)(?!kubernetes\/kubelet\.conf\.d --)/gm, `$1${root}/etc/`)
      .replaceAll('/sys/class/net', `${root}/sys/class/net`);
    const { status, stderr } = spawnSync('sh', ['-c', script], { env: { PATH: `${root}:${process.env.PATH}` }, encoding: 'utf8' });
    look({ run: { status, stderr }, written: (path) => readFileSync(join(root, path), 'utf8') });
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('joining EKS', () => {
  const text = textOf(anEksPool(), NODEADM);
  const parts = text
    .split(/^--GALA(?:--)?$/m)
    .slice(1, -1)
    .map((part) => {
      const [head = '', ...body] = part.trimStart().split('\n\n');
      return { head, body: body.join('\n\n') };
    });

  test('is one part for nodeadm and one for cloud-init', () => {
    expect(parts.map(({ head }) => head)).toEqual([
      'Content-Type: application/node.eks.aws',
      'Content-Type: text/cloud-config; charset="us-ascii"',
    ]);
    expect(text.startsWith('MIME-Version: 1.0\n')).toBe(true);
  });

  test('nodeadm gets all four things it refuses to start without, two of them at launch', () => {
    expect(parse(parts[0]?.body ?? '').spec.cluster).toEqual({
      name: 'cloud-a',
      apiServerEndpoint: 'https://k8s.cloud-a.intra',
      certificateAuthority: LAUNCH_VALUES.certificateAuthority,
      cidr: LAUNCH_VALUES.serviceCidr,
    });
  });

  test("the pool's kubelet configuration is the merge of its drop-ins", () => {
    const kubelet = parse(parts[0]?.body ?? '').spec.kubelet;
    expect(kubelet.flags).toEqual(['--node-labels=gala.internal/pool=burst']);
    expect(kubelet.config).toMatchObject({
      kind: 'KubeletConfiguration',
      maxPods: 20,
      failSwapOn: true,
      cpuManagerPolicy: 'none',
      podPidsLimit: 16384,
    });
  });

  test('node name and providerID stay with nodeadm', () => expect(text).not.toMatch(/providerID|hostname-override/));

  test('sysctl comes by cloud-init, which ends before nodeadm starts the kubelet', () => {
    expect(contentOf(parts[1]?.body ?? '', '/etc/sysctl.d/90-gala.conf')).toContain('fs.inotify');
  });

  test('no drop-in stands in the folder: nodeadm writes its own', () => expect(dropInsOf(kubeletProfile(anEksPool()).files)).toEqual([]));
});

describe('what is put in at launch', () => {
  const template = textOf(anEksPool(), NODEADM);
  test('goes to its places and leaves no placeholder', () => {
    const filled = fillUserData(template, { certificateAuthority: 'QUJD', serviceCidr: '10.100.0.0/16' });
    expect(filled).toContain('certificateAuthority: QUJD\n');
    expect(filled).not.toContain('__GALA');
  });
  test('is refused when it is missing or could be read as more than a value', () => {
    expect(() => fillUserData(template, { certificateAuthority: 'QUJD' })).toThrow('user data needs serviceCidr');
    expect(() => fillUserData(template, { certificateAuthority: 'QUJD\nruncmd: []', serviceCidr: '10.100.0.0/16' })).toThrow(
      'user data needs certificateAuthority',
    );
  });
  test('must leave the whole within what EC2 takes', () => {
    expect(() => fillUserData(template, { certificateAuthority: 'A'.repeat(16384), serviceCidr: '10.100.0.0/16' })).toThrow(
      'EC2 takes 16384',
    );
  });
  test('is reckoned with at synth', () => {
    expect(launchedBytes(LAUNCH_VALUES.serviceCidr)).toBe(43);
    expect(launchedBytes('x')).toBe(1);
  });
});

describe('refused', () => {
  test('user data longer than EC2 takes', () => {
    const labels = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`example.com/${'x'.repeat(55)}-${index}`, 'y'.repeat(63)]));
    expect(problemsOf(anEc2Pool({ labels }))).toEqual([expect.stringMatching(/^error pools\.burst\.join: user data comes to \d+ bytes$/)]);
  });
  test.each([{}, { eks: 'a', bootstrap: true }, { bootstrap: false }])('join %j is neither or both', (how) => {
    expect(problemsOf(anEc2Pool({ join: how, kubelet: { clusterDNS: ['10.96.0.10'] } }))).toContain(
      `error pools.burst.join: join is ${JSON.stringify(how)}`,
    );
  });
  test('racked hosts have no user data', () => {
    expect(problemsOf(aPool({ join: { bootstrap: true } }))).toEqual(['error pools.web.join: racked hosts are joined by their own means']);
  });
  test('user data without an API server', () => {
    expect(problemsOf(anEc2Pool({ apiServer: undefined }))).toEqual([
      'error pools.burst.join: user data names the API server, and none is given',
    ]);
  });
});

test('instances that somebody else launches have files, and no user data', () => {
  const paths = kubeletProfile(anEc2Pool({ join: undefined })).files.map(({ path }) => path);
  expect(paths.filter((path) => path.startsWith('user-data/'))).toEqual([]);
  expect(paths).toContain('etc/default/gala-kubelet');
});
