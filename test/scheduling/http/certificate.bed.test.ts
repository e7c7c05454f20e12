/** The API's certificate on a real API server: who makes it, who trusts it, and what becomes of it in time. */
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { API_CA } from '../../../lib/api/scheduling.ts';
import { type Api, connect } from '../../../lib/kube/client.ts';
import { CONFIGMAPS, SECRETS } from '../../../lib/kube/kinds.ts';
import { certificatesIn, type Pair, PREPARE_DAYS, PROMOTE_DAYS } from '../../../lib/scheduling/http/authority.ts';
import { type Certificate, keepCertificate } from '../../../lib/scheduling/http/certificate.ts';
import { makeAuthority, makeServing } from '../../../lib/scheduling/http/issue.ts';
import { type Bed, startControlPlane } from '../../bed/control-plane.ts';
import { describeBed } from '../../bed/describe-bed.ts';
import { aClock, type TestClock } from '../../kube/a-clock.ts';

const DAY = 86_400_000;
const LOOK_MS = 600_000;
const namespace = 'gala-system';

describeBed("the API's certificate", ['etcd', 'kube-apiserver'], () => {
  let bed: Bed;
  let api: Api;
  let ending: AbortController;
  const running: Certificate[] = [];
  beforeAll(async () => {
    bed = await startControlPlane({ without: ['kube-controller-manager', 'kube-scheduler'] });
    api = await connect({ kubeconfig: bed.kubeconfig });
    await bed.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
  });
  beforeAll(() => {
    ending = new AbortController();
  });
  afterEach(async () => {
    ending.abort();
    await Promise.all(running.splice(0).map(({ stopped }) => stopped));
    ending = new AbortController();
    for (const kind of [SECRETS, CONFIGMAPS])
      for (const { metadata } of (await api.list(kind, { namespace })).items)
        if (metadata.name !== 'kube-root-ca.crt') await api.delete(kind, { namespace, name: metadata.name });
  });
  afterAll(async () => {
    api?.close();
    await bed?.stop();
  });

  interface Replica {
    readonly served: Pair[];
    readonly certificate: Certificate;
    readonly clock: TestClock;
    now: number;
  }

  function aReplica(options: { readonly secret?: string; readonly names?: string[] } = {}): Replica {
    const clock = aClock();
    const replica = { served: [] as Pair[], clock, now: Date.now() };
    const certificate = keepCertificate(api, {
      ...{ namespace, secret: options.secret, signal: ending.signal, clock, now: () => replica.now },
      names: () => options.names ?? ['localhost', '127.0.0.1'],
      onCertificate: (pair) => replica.served.push(pair),
    });
    running.push(certificate);
    return Object.assign(replica, { certificate });
  }

  const until = async (what: () => boolean | Promise<boolean>) => {
    const deadline = performance.now() + 60_000;
    while (!(await what())) {
      if (performance.now() > deadline) throw new Error('it never came to that');
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const published = async () => (await api.get(CONFIGMAPS, { namespace, name: API_CA })).data?.['ca.crt'] ?? '';
  const trusted = async ({ cert }: Pair) => {
    const served = new X509Certificate(cert);
    return certificatesIn(await published()).some((authority) => served.verify(new X509Certificate(authority).publicKey));
  };
  const encoded = (data: Record<string, string>) =>
    Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));

  test('two replicas that start at once serve by one authority, which is published before either serves', async () => {
    const replicas = [aReplica(), aReplica()];
    await until(() => replicas.every(({ served }) => served.length > 0));
    for (const { served, certificate } of replicas) {
      expect(await trusted(served[0]!)).toBe(true);
      expect(certificate.wrong()).toBeUndefined();
    }
    expect(replicas[0]!.served[0]!.key).not.toBe(replicas[1]!.served[0]!.key);
    expect(certificatesIn(await published())).toHaveLength(1);
    expect(await published()).not.toContain('PRIVATE');
  });

  test('in time a next authority is published, then signs; what was served before is still trusted', async () => {
    const replica = aReplica();
    await until(() => replica.served.length === 1);
    const [first] = replica.served as [Pair];
    const end = Date.parse(new X509Certificate(certificatesIn(await published())[0]!).validTo);
    // A look that fails is followed by the next one.
    const looking = (what: () => boolean | Promise<boolean>) =>
      until(() => {
        replica.clock.advance(LOOK_MS);
        return what();
      });
    const look = (now: number, count: number) => {
      replica.now = now;
      return looking(async () => certificatesIn(await published()).length === count);
    };
    await look(end - PREPARE_DAYS * DAY, 2);
    await looking(() => replica.served.length > 1); // the serving certificate had its 30 days
    const [former] = certificatesIn(await published());
    await look(end - PROMOTE_DAYS * DAY, 2);
    await looking(async () => certificatesIn(await published())[1] === former);
    const bySuccessor = ({ cert }: Pair) => !new X509Certificate(cert).verify(new X509Certificate(former!).publicKey);
    await looking(() => bySuccessor(replica.served.at(-1)!));
    for (const served of [first, ...replica.served]) expect(await trusted(served)).toBe(true);
    await look(end + 1, 1);
  });

  test('a Secret that somebody spoilt is replaced, a ConfigMap that somebody deleted is there again', async () => {
    const replica = aReplica();
    await until(() => replica.served.length === 1);
    await api.patch(SECRETS, { namespace, name: API_CA }, { data: encoded({ 'tls.key': 'spoilt' }) });
    await until(() => replica.served.length === 2);
    expect(await trusted(replica.served[1]!)).toBe(true);
    await api.delete(CONFIGMAPS, { namespace, name: API_CA });
    await until(async () => {
      replica.clock.advance(LOOK_MS);
      return published().then(
        () => true,
        () => false,
      );
    });
    expect(await trusted(replica.served.at(-1)!)).toBe(true);
  });

  test('an address that the host gets later is on the next certificate', async () => {
    const names = ['localhost'];
    const replica = aReplica({ names });
    await until(() => replica.served.length === 1);
    names.push('10.8.0.12');
    await until(() => {
      replica.clock.advance(LOOK_MS);
      return replica.served.length === 2;
    });
    expect(new X509Certificate(replica.served[1]!.cert).checkIP('10.8.0.12')).toBe('10.8.0.12');
  });

  test('a Secret that the definition names is served, and again when it changes; one that is no good changes nothing', async () => {
    const authority = await makeAuthority(Date.now());
    const [one, two] = [await makeServing(authority, ['localhost'], Date.now()), await makeServing(authority, ['localhost'], Date.now())];
    const replica = aReplica({ secret: 'site-tls' });
    await until(() => replica.certificate.wrong()?.includes('there is no Secret gala-system/site-tls') === true);
    const data = (pair: Pair) => encoded({ 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': authority.cert });
    const id = { namespace, name: 'site-tls' };
    await api.create(SECRETS, { metadata: id, type: 'kubernetes.io/tls', data: data(one) });
    await until(() => replica.served.length === 1);
    expect(replica.certificate.wrong()).toBeUndefined();
    expect(await published()).toBe(authority.cert);
    await api.patch(SECRETS, id, { data: encoded({ 'tls.key': two.key }) });
    await api.patch(SECRETS, id, { data: data(two) });
    await until(() => replica.served.length === 2);
    expect(replica.served.map(({ cert }) => cert)).toEqual([one.cert, two.cert]);
  });
});
