import { describe, expect, test } from '@jest/globals';
import { App } from 'cdk8s';
import { Platform } from '../../constructs/platform.ts';
import { rendered } from '../../constructs/testing.ts';
import { aDefinition, anEc2Pool, aRackedPool } from '../api/a-definition.ts';

const SCHEDULER = 'Deployment/gala-system/gala-scheduler';

describe('patch', () => {
  test('changes the plain object it names', () => {
    const out = rendered(aDefinition(), {
      adapt: (platform) =>
        platform.patch(SCHEDULER, (object) => {
          object.spec.replicas = 3;
        }),
    });
    expect(out.object(SCHEDULER)).toMatchObject({ spec: { replicas: 3 } });
  });

  test('may return another object, and patches of one object add up', () => {
    const adapt = (platform: Platform) =>
      platform
        .patch(SCHEDULER, (object) => ({ ...object, spec: { ...object.spec, replicas: 3 } }))
        .patch(SCHEDULER, (object) => {
          object.spec.minReadySeconds = object.spec.replicas;
        });
    expect(rendered(aDefinition(), { adapt }).object(SCHEDULER)).toMatchObject({ spec: { replicas: 3, minReadySeconds: 3 } });
  });

  test('whose target vanished fails, with the nearest name', () =>
    expect(() =>
      rendered(aDefinition(), { adapt: (platform) => platform.patch('Deployment/gala-system/gala-schedular', () => {}) }),
    ).toThrow(`Did you mean '${SCHEDULER}'?`));

  test('that breaks an object is stopped by the gate', () =>
    expect(() =>
      rendered(aDefinition(), {
        adapt: (platform) =>
          platform.patch(SCHEDULER, (object) => {
            object.spec.selector.matchLabels.app = 'x';
          }),
      }),
    ).toThrow('selector'));
});

test('a definition with problems throws all of them', () =>
  expect(() => new Platform(new App(), aDefinition({ name: 'A', kubernetes: '1.2' }))).toThrow(/name is 'A'.*\n.*kubernetes is '1.2'/));

test('replicas of a pool are never rendered: on EC2 they belong to whoever scales', () => {
  const out = rendered(aDefinition({ services: 'kube-proxy', serviceCidr: '172.20.0.0/16', pools: { burst: anEc2Pool() } }));
  expect(out.object('HostPool/burst')?.spec).not.toHaveProperty('replicas');
});

test('what a node can wire, its host-network agents and five more make its maxPods', () => {
  const pool = { ...aRackedPool(), macsPerPort: 40 };
  const config = (...concerns: string[]) =>
    rendered(aDefinition({ concerns, pools: { web: pool } })).file('hosts/web/etc/kubernetes/kubelet.conf.d/40-gala-network.conf');
  expect(config('scheduling')).toContain('maxPods: 45');
  expect(config('scheduling', 'network')).toContain('maxPods: 46');
});

test('every object carries its sync wave, and waves follow the folder’s lexical order', () => {
  const out = rendered(aDefinition());
  const waves = out.objects.map(({ metadata }) => Number(metadata.annotations?.['argocd.argoproj.io/sync-wave']));
  expect(waves).toEqual([...waves].sort((a, b) => a - b));
});
