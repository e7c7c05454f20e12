/** Whose certificate requests are approved: requests as OpenSSL makes them, against instances as EC2 shows them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Asked, type Asker, CLIENT_SIGNER, SERVING_SIGNER, verdictOf } from '../../lib/cloud/csr.ts';
import { readRequest } from '../../lib/cloud/csr-read.ts';

const ID = 'i-0123456789abcdef0';
const INSTANCE: Asker = {
  ...{ state: 'running', launched: true, tokenId: 'abcdef' },
  ...{ addresses: ['10.0.1.7'], dnsNames: ['ip-10-0-1-7.ec2.internal'] },
};
const shown = (id: string): Asker | undefined => (id === ID ? INSTANCE : undefined);

const aServing = (over: Partial<Asked> = {}): Asked => ({
  ...{ signer: SERVING_SIGNER, username: `system:node:${ID}`, groups: ['system:nodes', 'system:authenticated'] },
  usages: ['digital signature', 'server auth'],
  subject: { commonName: `system:node:${ID}`, organizations: ['system:nodes'], others: false },
  ...{ dnsNames: [ID], ipAddresses: ['10.0.1.7'], otherNames: false },
  ...over,
});
const aClient = (over: Partial<Asked> = {}): Asked =>
  aServing({
    ...{ signer: CLIENT_SIGNER, username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:bootstrappers:gala'] },
    ...{ usages: ['digital signature', 'client auth'], dnsNames: [], ipAddresses: [] },
    ...over,
  });
const done = (asked: Asked, instance = shown) => verdictOf(asked, instance).do;

describe('a serving certificate', () => {
  test('is approved for the names and addresses that EC2 shows of the instance', () => {
    expect(done(aServing())).toBe('approve');
    expect(
      done(aServing({ dnsNames: [ID, 'ip-10-0-1-7.ec2.internal'], usages: ['digital signature', 'key encipherment', 'server auth'] })),
    ).toBe('approve');
  });

  test.each<[string, Partial<Asked>]>([
    ['another address', { ipAddresses: ['10.0.1.8'] }],
    ['another name', { dnsNames: ['kubernetes.default.svc'] }],
    ['no name', { dnsNames: [], ipAddresses: [] }],
    ['a URI', { otherNames: true }],
    ['a client certificate’s usage', { usages: ['digital signature', 'server auth', 'client auth'] }],
    ['another node’s name', { username: 'system:node:i-0aaaaaaaaaaaaaaaa' }],
    ['more groups', { subject: { commonName: `system:node:${ID}`, organizations: ['system:nodes', 'system:masters'], others: false } }],
    [
      'a part of the subject that no kubelet has',
      { subject: { commonName: `system:node:${ID}`, organizations: ['system:nodes'], others: true } },
    ],
    ['a bootstrap token’s word', { username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers:gala'] }],
  ])('with %s is left alone', (_, over) => expect(done(aServing(over))).toBe('leave'));

  test('is left alone for an instance that ends, that others launched, or that is none', () => {
    expect(done(aServing(), () => ({ ...INSTANCE, state: 'shutting-down' }))).toBe('leave');
    expect(done(aServing(), () => ({ ...INSTANCE, launched: false }))).toBe('leave');
    expect(
      done(
        aServing({
          username: 'system:node:web-1',
          subject: { commonName: 'system:node:web-1', organizations: ['system:nodes'], others: false },
        }),
      ),
    ).toBe('leave');
  });

  test('waits for EC2 to show the instance', () => expect(done(aServing(), () => undefined)).toBe('wait'));
});

describe('a client certificate', () => {
  test('is approved by the token of the launch, and for the node itself', () => {
    expect(done(aClient())).toBe('approve');
    expect(done(aClient({ username: `system:node:${ID}`, groups: ['system:nodes'] }))).toBe('approve');
  });

  test.each<[string, Partial<Asked>]>([
    ['by the token of another launch', { username: 'system:bootstrap:zzzzzz' }],
    ['by a token that is not Gala’s', { groups: ['system:bootstrappers'] }],
    ['by a person', { username: 'kubernetes-admin' }],
    ['with names', { dnsNames: [ID] }],
    ['for another signer', { signer: 'kubernetes.io/kube-apiserver-client' }],
    ['for a serving usage', { usages: ['digital signature', 'client auth', 'server auth'] }],
  ])('%s is left alone', (_, over) => expect(done(aClient(over))).toBe('leave'));

  test('waits until the key of tokens is known', () => expect(done(aClient(), () => ({ ...INSTANCE, tokenId: undefined }))).toBe('wait'));
});

describe('reading a request', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gala-csr-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const made = (subject: string, names?: string): string => {
    const file = join(folder, 'request.pem');
    const extension = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', join(folder, 'key.pem')];
    execFileSync('openssl', ['req', '-new', ...key, '-subj', subject, ...extension, '-out', file], { stdio: 'ignore' });
    return readFileSync(file, 'utf8');
  };

  test('tells subject, names and addresses apart', () => {
    expect(readRequest(made(`/O=system:nodes/CN=system:node:${ID}`, `DNS:${ID},IP:10.0.1.7,IP:fd00::7`))).toEqual({
      subject: { commonName: `system:node:${ID}`, organizations: ['system:nodes'], others: false },
      ...{ dnsNames: [ID], ipAddresses: ['10.0.1.7', 'fd00::7'], otherNames: false },
    });
  });

  test('sees what no kubelet asks for', () => {
    expect(readRequest(made('/O=a/O=b/CN=x/CN=y/L=z')).subject).toEqual({ commonName: 'x', organizations: ['a', 'b'], others: true });
    expect(readRequest(made('/CN=x', 'URI:spiffe://a,email:a@b.c')).otherNames).toBe(true);
  });

  test('of no names has none', () => {
    expect(readRequest(made('/CN=x'))).toMatchObject({ dnsNames: [], ipAddresses: [], otherNames: false });
  });

  test.each<[string, (mine: string, other: string) => string]>([
    ['an indented block before another', (mine, other) => ` ${mine}${other}`],
    ['two blocks', (mine, other) => `${mine}${other}`],
    ['words before it', (mine) => `words\n${mine}`],
    ['headers', (mine) => mine.replace('REQUEST-----\n', 'REQUEST-----\na: b\n\n')],
  ])('that others may read otherwise throws: %s', (_, of) => {
    expect(() => readRequest(of(made('/O=system:nodes/CN=system:node:i-0a'), made('/O=system:nodes/CN=system:node:i-0b')))).toThrow(
      'not one PEM block',
    );
  });

  test('of nonsense throws', () => expect(() => readRequest('nonsense')).toThrow());
});
