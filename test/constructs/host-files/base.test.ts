/** Logs, images, processes, shutdown. */
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import type { KubeletOptions } from '../../../constructs/kubelet-profile.ts';
import { OTHER_PODS } from '../../../lib/api/allocatable.ts';
import { kubelet } from '../../../lib/api/kubelet.ts';
import { aPool, configOf, problemsOf } from './a-pool.ts';

test('without options a node rotates logs, collects images, bounds processes and shuts down in order', () => {
  expect(configOf(aPool(), 'base')).toEqual({
    containerLogMaxSize: '50Mi',
    containerLogMaxFiles: 5,
    imageGCHighThresholdPercent: 85,
    imageGCLowThresholdPercent: 80,
    serializeImagePulls: false,
    maxParallelImagePulls: 5,
    podPidsLimit: 16384,
    shutdownGracePeriod: '60s',
    shutdownGracePeriodCriticalPods: '20s',
  });
});

test('one pull at a time is a serial kubelet: the two fields never disagree', () => {
  expect(configOf(aPool({ kubelet: { maxParallelImagePulls: 1 } }), 'base')).toMatchObject({
    serializeImagePulls: true,
    maxParallelImagePulls: 1,
  });
});

test('a shutdown shorter than the critical share shortens that too', () => {
  expect(configOf(aPool({ kubelet: { shutdownGracePeriodSeconds: 10 } }), 'base')).toMatchObject({
    shutdownGracePeriodCriticalPods: '10s',
  });
  expect(problemsOf(aPool({ kubelet: { shutdownGracePeriodSeconds: 0 } }))).toEqual([]);
});

describe('what the kubelet would not start with is a problem', () => {
  test.each<[KubeletOptions, string]>([
    [{ containerLogMaxSize: '0' }, "kubelet.containerLogMaxSize: containerLogMaxSize is '0'"],
    [{ imageGCHighThresholdPercent: 80 }, 'kubelet.imageGCLowThresholdPercent: image collection stops at 80 % and starts at 80 %'],
    [
      { shutdownGracePeriodSeconds: 30, shutdownGracePeriodCriticalPodsSeconds: 31 },
      'kubelet.shutdownGracePeriodCriticalPodsSeconds: critical pods get 31 s of a shutdown that takes 30 s',
    ],
  ])('%j', (kubelet, problem) => expect(problemsOf(aPool({ kubelet }))).toEqual([`error pools.web.${problem}`]));
});

test("the options' prose tells the defaults that are rendered", () => {
  const said = Object.entries(kubelet.shape).flatMap(([option, schema]) => {
    const value = /(?:; |, )(\S+) when left out/.exec(z.globalRegistry.get(schema.unwrap())?.description ?? '')?.[1];
    return value === undefined ? [] : [[option, value]];
  });
  const { systemReserved, evictionSoftGracePeriod, ...rest } = { ...configOf(aPool(), 'base'), ...configOf(aPool(), 'reservations') };
  const rendered: Record<string, unknown> = {
    ...rest,
    shutdownGracePeriodSeconds: rest.shutdownGracePeriod?.replace('s', ''),
    shutdownGracePeriodCriticalPodsSeconds: rest.shutdownGracePeriodCriticalPods?.replace('s', ''),
    // The kubelet's own: MaxContainerBackOff in pkg/kubelet/apis/config/v1beta1/defaults.go.
    maxContainerRestartPeriodSeconds: 300,
    evictionSoftGracePeriodSeconds: evictionSoftGracePeriod?.['memory.available']?.replace('s', ''),
    otherPods: OTHER_PODS,
    reservedPids: systemReserved?.pid,
    reservedEphemeralStorage: systemReserved?.['ephemeral-storage'],
  };
  expect(said.length).toBeGreaterThan(10);
  expect(said).toEqual(said.map(([option]) => [option, String(rendered[option as string])]));
});
