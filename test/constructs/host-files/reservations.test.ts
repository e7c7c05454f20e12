/** What pods don't get: reservations and eviction thresholds. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { defaultReservation, type KubeletOptions, type KubeletProfileProps } from '../../../constructs/kubelet-profile.ts';
import { anEc2Pool, aPool, configOf, GiB, MiB, problemsOf } from './a-pool.ts';

const withMachine = (machine: KubeletProfileProps['machine'], kubelet?: KubeletProfileProps['kubelet']) =>
  aPool({ machine, ...(kubelet === undefined ? {} : { kubelet }) });

test('what the definition reserves is all that is reserved, whatever the base configuration kept', () => {
  expect(configOf(aPool(), 'reservations')).toEqual({
    enforceNodeAllocatable: ['pods'],
    systemReserved: { cpu: '2', memory: '8Gi', 'ephemeral-storage': '1Gi', pid: '1000' },
    kubeReserved: { cpu: '0', memory: '0', 'ephemeral-storage': '0', pid: '0' },
    evictionHard: {
      'imagefs.available': '15%',
      'imagefs.inodesFree': '5%',
      'memory.available': '2Gi',
      'nodefs.available': '10%',
      'nodefs.inodesFree': '5%',
    },
    evictionSoft: { 'memory.available': '4Gi' },
    evictionSoftGracePeriod: { 'memory.available': '90s' },
    evictionMaxPodGracePeriod: 60,
  });
});

describe('the default reservation', () => {
  test('of 64 CPUs, 256Gi and 80 pods is 0.23 CPUs and 3757Mi', () => {
    // 6% + 1% + 2 × 0.5% + 60 × 0.25% = 0.23; 255 + 11 × 80 + 2621.44 = 3756.44
    expect(defaultReservation({ cpu: 64, memoryBytes: 256 * GiB, maxPods: 80 })).toEqual({ cpu: 0.23, memoryBytes: 3757 * MiB });
  });
  test('of one CPU is 60m', () =>
    expect(defaultReservation({ cpu: 1, memoryBytes: 0, maxPods: 0 })).toEqual({ cpu: 0.06, memoryBytes: 255 * MiB }));
  test('never shrinks with the machine or its pods', () => {
    const machine = fc.record({
      cpu: fc.integer({ min: 1, max: 512 }),
      memoryBytes: fc.integer({ min: GiB, max: 4096 * GiB }),
      maxPods: fc.nat(1000),
    });
    fc.assert(
      fc.property(machine, machine, (a, b) => {
        const larger = {
          cpu: Math.max(a.cpu, b.cpu),
          memoryBytes: Math.max(a.memoryBytes, b.memoryBytes),
          maxPods: Math.max(a.maxPods, b.maxPods),
        };
        const [less, more] = [defaultReservation(a), defaultReservation(larger)];
        return less.cpu <= more.cpu && less.memoryBytes <= more.memoryBytes;
      }),
    );
  });
  test('is whole CPUs under a static CPU manager', () => {
    const pool = withMachine({ cpu: 64, memoryBytes: 256 * GiB }, { cpuManagerPolicy: 'static' });
    expect(configOf(pool, 'reservations').systemReserved).toMatchObject({ cpu: '1', memory: '3757Mi' });
    expect(problemsOf(pool)).toEqual([]);
  });
});

test('an unknown machine leaves reservations to the base configuration', () => {
  const config = configOf(aPool({ machine: undefined }), 'reservations');
  expect(config.systemReserved).toBeUndefined();
  expect(config.kubeReserved).toBeUndefined();
  expect(config.evictionHard).toMatchObject({ 'memory.available': '200Mi' });
});

describe('instances', () => {
  const launched = (instanceTypes: readonly string[]) => anEc2Pool({ machine: undefined, instanceTypes });
  test('are reckoned with as the least of their types', () => {
    const { cpu, memoryBytes } = defaultReservation({ cpu: 16, memoryBytes: 32 * GiB, maxPods: 20 });
    // c5.4xlarge: 16 CPUs, 32Gi; m5.4xlarge: 16 CPUs, 64Gi.
    expect(configOf(launched(['m5.4xlarge', 'c5.4xlarge']), 'reservations').systemReserved).toMatchObject({
      cpu: `${cpu * 1000}m`,
      memory: `${memoryBytes / MiB}Mi`,
    });
  });
  test('of types nobody knows keep nothing, which is warned about', () => {
    expect(problemsOf(launched([]))).toEqual([
      'warning pools.burst.machine: nothing is reserved on instances that join by a bootstrap token: the machine is not known',
    ]);
  });
});

describe('thresholds', () => {
  test('memory.available is 1 % of the memory, of 200Mi to 2Gi', () => {
    const hard = (gib: number) =>
      configOf(withMachine({ cpu: 64, memoryBytes: gib * GiB }), 'reservations').evictionHard?.['memory.available'];
    expect([8, 100, 1024].map(hard)).toEqual(['200Mi', '1Gi', '2Gi']);
  });
  test('naming one signal keeps the others', () => {
    expect(configOf(aPool({ kubelet: { evictionHard: { 'nodefs.available': '20Gi' } } }), 'reservations').evictionHard).toMatchObject({
      'nodefs.available': '20Gi',
      'imagefs.available': '15%',
    });
  });
  test('0% turns a signal off, and the soft one keeps its default', () => {
    const pool = aPool({ kubelet: { evictionHard: { 'memory.available': '0%' } } });
    expect(problemsOf(pool)).toEqual([]);
    expect(configOf(pool, 'reservations').evictionSoft).toEqual({ 'memory.available': '4Gi' });
  });
  test('every soft threshold has a grace period: the kubelet refuses one without', () => {
    const config = configOf(
      aPool({ kubelet: { evictionSoft: { 'nodefs.available': '15%' }, evictionSoftGracePeriodSeconds: 30 } }),
      'reservations',
    );
    expect(config.evictionSoftGracePeriod).toEqual({ 'memory.available': '30s', 'nodefs.available': '30s' });
  });
});

describe('refused', () => {
  test('more CPUs than the machine has', () => {
    expect(problemsOf(withMachine({ cpu: 2, memoryBytes: 256 * GiB, reserved: { cpu: 2, memoryBytes: GiB } }))).toEqual([
      'error pools.web.machine.reserved.cpu: 2 CPUs are reserved of 2',
    ]);
  });
  test('more memory than the machine has, eviction included', () => {
    expect(problemsOf(withMachine({ cpu: 64, memoryBytes: 8 * GiB, reserved: { cpu: 2, memoryBytes: 8 * GiB - 100 * MiB } }))).toEqual([
      'error pools.web.machine.reserved.memory: 8092Mi of memory are reserved and 200Mi kept by evictionHard, of 8Gi',
    ]);
  });
  test('a machine too small for the default reservation', () => {
    expect(problemsOf(withMachine({ cpu: 2, memoryBytes: GiB }))).toEqual([
      'error pools.web.machine.reserved.memory: 1146Mi of memory are reserved and 200Mi kept by evictionHard, of 1Gi',
    ]);
  });
  test('soft eviction after the hard one', () => {
    expect(problemsOf(aPool({ kubelet: { evictionSoft: { 'memory.available': '1Gi' } } }))).toEqual([
      'error pools.web.kubelet.evictionSoft.memory.available: soft eviction starts at 1Gi, after the hard one at 2Gi',
    ]);
  });
  test.each<[KubeletOptions, string]>([
    [{ evictionHard: { 'nodefs.available': '0' } }, "kubelet.evictionHard.nodefs.available: threshold is '0'"],
    [{ evictionSoft: { 'nodefs.available': '0Gi' } }, "kubelet.evictionSoft.nodefs.available: threshold is '0Gi'"],
  ])('%j', (kubelet, problem) => expect(problemsOf(aPool({ kubelet }))).toEqual([`error pools.web.${problem}`]));
});
