/** Kubeconfigs as people have them: merged, relative, with plugins, wrong. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { kubeconfigAccess } from '../../lib/kube/kubeconfig.ts';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gala-kubeconfig-'));
  folders.push(folder);
});
afterAll(() => {
  for (const each of folders) rmSync(each, { recursive: true });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

function file(name: string, content: unknown): string {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : stringify(content));
  return join(folder, name);
}

const aConfig = ({ user = { token: 't' } as object, cluster = {} as object, context = {} as object, name = 'one' } = {}) => ({
  ...{ apiVersion: 'v1', kind: 'Config', 'current-context': name },
  clusters: [{ name: `${name}-cluster`, cluster: { server: `https://${name}.example:6443`, ...cluster } }],
  users: [{ name: `${name}-user`, user }],
  contexts: [{ name, context: { cluster: `${name}-cluster`, user: `${name}-user`, ...context } }],
});

describe('a kubeconfig', () => {
  test('says where, as whom, and in which namespace', async () => {
    const config = aConfig({ cluster: { 'certificate-authority-data': base64('CA') }, context: { namespace: 'web' } });
    const access = await kubeconfigAccess({ kubeconfig: file('config', config) });
    expect(access).toMatchObject({ url: 'https://one.example:6443', basePath: '', namespace: 'web' });
    expect(access.identity()).toEqual({ ca: 'CA', authorization: 'Bearer t' });
  });

  test('names files relative to itself, which are read anew as they change', async () => {
    for (const name of ['ca', 'cert', 'key', 'token']) file(name, `${name} 1\n`);
    const user = { tokenFile: 'token', 'client-certificate': './cert', 'client-key': 'key' };
    const access = await kubeconfigAccess({ kubeconfig: file('config', aConfig({ user, cluster: { 'certificate-authority': 'ca' } })) });
    expect(access.identity()).toEqual({ ca: 'ca 1\n', cert: 'cert 1\n', key: 'key 1\n', authorization: 'Bearer token 1' });
    file('token', 'token 2\n');
    expect(access.renew!()).toMatchObject({ authorization: 'Bearer token 2' });
  });

  test('of several the first that says a thing is right, and those that are not there are passed over', async () => {
    const first = file('first', { ...aConfig({ name: 'one' }), 'current-context': '' });
    const second = file('second', {
      ...aConfig({ name: 'two' }),
      users: [
        { name: 'one-user', user: { token: 'other' } },
        { name: 'two-user', user: { token: 't2' } },
      ],
    });
    const env = { KUBECONFIG: [join(folder, 'none'), first, second].join(':') };
    expect((await kubeconfigAccess({ env })).url).toBe('https://two.example:6443');
    const one = await kubeconfigAccess({ env, context: 'one' });
    expect([one.url, one.identity()]).toEqual(['https://one.example:6443', { authorization: 'Bearer t' }]);
  });

  test('may name a proxy, a server behind a path, another name of it, and whom one acts for', async () => {
    const user = { token: 't', as: 'hua', 'as-groups': ['sre', 'oncall'], 'as-uid': '7', 'as-user-extra': { 'example.com/why': ['fire'] } };
    const cluster = {
      server: 'https://rancher.example/k8s/c-1/',
      'tls-server-name': 'c-1',
      'insecure-skip-tls-verify': true,
      'proxy-url': 'http://proxy:3128',
    };
    expect(await kubeconfigAccess({ kubeconfig: file('config', aConfig({ user, cluster })) })).toMatchObject({
      ...{ url: 'https://rancher.example', basePath: '/k8s/c-1', serverName: 'c-1', insecure: true, proxyUrl: 'http://proxy:3128' },
      headers: {
        'impersonate-user': 'hua',
        'impersonate-group': ['sre', 'oncall'],
        'impersonate-uid': '7',
        'impersonate-extra-example.com%2Fwhy': ['fire'],
      },
    });
  });

  test('may hold a name and a password', async () => {
    const access = await kubeconfigAccess({ kubeconfig: file('config', aConfig({ user: { username: 'hua', password: 'secret' } })) });
    expect(access.identity()).toMatchObject({ authorization: `Basic ${base64('hua:secret')}` });
  });

  test.each([
    ['is not there', () => join(folder, 'none'), /no kubeconfig: there is no .*none\. Give --kubeconfig or set KUBECONFIG/],
    ['is no YAML', () => file('config', 'a: [b'), /kubeconfig .*config: .*/],
    ['is empty', () => file('config', ''), /holds no clusters, users and contexts/],
    [
      'names no context',
      () => file('config', { ...aConfig(), 'current-context': undefined }),
      /no current-context\. Name one of the contexts: one/,
    ],
    [
      'names one that is not there',
      () => file('config', { ...aConfig(), 'current-context': 'two' }),
      /contexts: there is no "two"\. There are: one/,
    ],
    [
      'names no cluster of its own',
      () => file('config', aConfig({ context: { cluster: 'x' } })),
      /clusters: there is no "x"\. There are: one-cluster/,
    ],
    ['names no server', () => file('config', aConfig({ cluster: { server: '' } })), /API server "": not a URL/],
    [
      'would show the token',
      () => file('config', aConfig({ cluster: { server: 'http://one.example' } })),
      /plain HTTP would show the token/,
    ],
    ['names a certificate that is not there', () => file('config', aConfig({ user: { 'client-certificate': 'x' } })), /ENOENT.*\/x/],
  ])('that %s says so', async (_what, config, message) => {
    await expect(kubeconfigAccess({ kubeconfig: config() })).rejects.toThrow(message);
  });
});

describe('an exec plugin', () => {
  /** A plugin that notes each run and what it was told, and answers `credential`. */
  function aPlugin(credential: unknown, exit = 0): string {
    const answer = typeof credential === 'string' ? credential : JSON.stringify(credential);
    const script = `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO $MORE $*" >> ${join(folder, 'runs')}\ncat <<'END'\n${answer}\nEND\nexit ${exit}\n`;
    chmodSync(file('plugin', script), 0o755);
    return './plugin';
  }
  const runs = () => readFileSync(join(folder, 'runs'), 'utf8').trimEnd().split('\n');
  const credential = (status: object) => ({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status });
  const access = (exec: object) =>
    kubeconfigAccess({
      kubeconfig: file('config', aConfig({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', ...exec } } })),
    });

  test('is asked once, however many calls wait, and again when its token has run out or was refused', async () => {
    const soon = new Date(Date.now() + 300).toISOString();
    const at = await access({
      command: aPlugin(credential({ token: 'from plugin', expirationTimestamp: soon })),
      args: ['get-token', 'bj-a'],
    });
    expect(await Promise.all([at.identity(), at.identity(), at.identity()])).toEqual(
      Array(3).fill({ authorization: 'Bearer from plugin' }),
    );
    expect(await at.identity()).toEqual({ authorization: 'Bearer from plugin' });
    expect(runs()).toHaveLength(1);
    expect(runs()[0]).toMatch(/ get-token bj-a$/);
    await new Promise((resolve) => setTimeout(resolve, 310));
    await at.identity();
    expect(runs()).toHaveLength(2);
    await at.renew!();
    expect(runs()).toHaveLength(3);
  });

  test('is told of the cluster where it asks for it, and has its environment', async () => {
    const command = aPlugin(credential({ clientCertificateData: 'CERT', clientKeyData: 'KEY' }));
    const at = await access({ command, provideClusterInfo: true, env: [{ name: 'MORE', value: 'more' }] });
    expect(await at.identity()).toEqual({ cert: 'CERT', key: 'KEY' });
    const [info, more] = runs()[0]!.split(' ');
    expect([JSON.parse(info!), more]).toEqual([
      {
        ...{ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' },
        spec: { interactive: false, cluster: { server: 'https://one.example:6443' } },
      },
      'more',
    ]);
  });

  test('that is not installed says how to', async () => {
    const at = await access({ command: 'no-such-plugin', installHint: 'brew install it' });
    await expect(at.identity()).rejects.toThrow('exec plugin no-such-plugin: is not installed\nbrew install it');
  });

  test.each([
    ['fails', credential({ token: 't' }), 3, /ended with exit code 3/],
    ['talks', 'hello', 0, /what it wrote is no JSON/],
    ['gives nothing', credential({}), 0, /wrote no ExecCredential with a token or a certificate with its key/],
    ['gives half', credential({ clientCertificateData: 'CERT' }), 0, /wrote no ExecCredential/],
    ['has no calendar', credential({ token: 't', expirationTimestamp: 'later' }), 0, /expirationTimestamp is "later", not RFC 3339/],
  ])('that %s says so, and is asked again the next time', async (_what, answer, exit, message) => {
    const at = await access({ command: aPlugin(answer, exit) });
    await expect(at.identity()).rejects.toThrow(message);
    await expect(at.identity()).rejects.toThrow(message);
    expect(runs()).toHaveLength(2);
  });

  test('that must talk to a person does not begin without a terminal', async () => {
    const at = await access({ command: aPlugin(credential({ token: 't' })), interactiveMode: 'Always' });
    await expect(at.identity()).rejects.toThrow('wants a terminal (interactiveMode: Always), and there is none');
  });
});

test('an auth-provider is left to the client library', async () => {
  const idToken = `${base64('{}')}.${base64(JSON.stringify({ exp: 4_000_000_000 }))}.x`;
  const user = {
    'auth-provider': { name: 'oidc', config: { 'id-token': idToken, 'client-id': 'c', 'idp-issuer-url': 'https://idp.example' } },
  };
  const access = await kubeconfigAccess({ kubeconfig: file('config', aConfig({ user })) });
  expect(await access.identity()).toEqual({ authorization: `Bearer ${idToken}` });
});
