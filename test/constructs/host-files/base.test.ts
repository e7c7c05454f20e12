/** Logs, images, processes, shutdown. */
import { describe, expect, test } from '@jest/globals';
import type { KubeletOptions } from '../../../constructs/kubelet-profile.ts';
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
    [{ containerLogMaxFiles: 1 }, 'kubelet.containerLogMaxFiles: containerLogMaxFiles is 1'],
    [{ containerLogMaxSize: '50 MB' }, 'kubelet.containerLogMaxSize: containerLogMaxSize is "50 MB"'],
    [{ imageGCHighThresholdPercent: 80 }, 'kubelet.imageGCLowThresholdPercent: image collection stops at 80 % and starts at 80 %'],
    [{ imageGCHighThresholdPercent: 101 }, 'kubelet.imageGCHighThresholdPercent: imageGCHighThresholdPercent is 101'],
    [{ maxParallelImagePulls: 0 }, 'kubelet.maxParallelImagePulls: maxParallelImagePulls is 0'],
    [{ podPidsLimit: 1.5 }, 'kubelet.podPidsLimit: podPidsLimit is 1.5'],
    [{ maxContainerRestartPeriodSeconds: 301 }, 'kubelet.maxContainerRestartPeriodSeconds: maxContainerRestartPeriodSeconds is 301'],
    [
      { shutdownGracePeriodSeconds: 30, shutdownGracePeriodCriticalPodsSeconds: 31 },
      'kubelet.shutdownGracePeriodCriticalPodsSeconds: critical pods get 31 s of a shutdown that takes 30 s',
    ],
  ])('%j', (kubelet, problem) => expect(problemsOf(aPool({ kubelet }))).toEqual([`error pools.web.${problem}`]));
});
