/** The condition as it is written into an IPLock. */
import { expect, test } from '@jest/globals';
import { IPLock } from '../../../lib/api/kinds.ts';
import { type Finding, onEc2, statusProbed } from '../../../lib/network/probing/finding.ts';
import { aCondition, aLock } from './a-probe.ts';

const NOW = new Date('2026-02-16T20:00:00.123Z');
const AT = '2026-02-16T20:00:00Z';
const condition = { type: 'Probed', status: 'False', reason: 'Conflict', message: 'somebody answers for it' } as const;
const conflict: Finding = { ip: '10.110.0.130', condition };

test('a first finding is added to what others say', () => {
  const wired = aCondition({ type: 'Wired', status: 'False', reason: 'TakenDown' });
  expect(statusProbed(aLock({ conditions: [wired] }), conflict, NOW)).toEqual({
    conditions: [{ ...condition, lastTransitionTime: AT }, wired],
  });
  expect(statusProbed(aLock(), conflict, NOW)).toEqual({ conditions: [{ ...condition, lastTransitionTime: AT }] });
});

test('what is said already is not written again', () => {
  expect(statusProbed(aLock({ conditions: [aCondition({ ...condition })] }), conflict, NOW)).toBeUndefined();
});

test('another message is written with the time of the last turn, another status with its own', () => {
  const before = aCondition({ ...condition, message: 'another answers for it' });
  expect(statusProbed(aLock({ conditions: [before] }), conflict, NOW)).toEqual({ conditions: [{ ...before, message: condition.message }] });
  expect(statusProbed(aLock({ conditions: [aCondition()] }), conflict, NOW)).toEqual({
    conditions: [{ ...condition, lastTransitionTime: AT }],
  });
});

test('the kind takes it', () => {
  for (const finding of [conflict, onEc2('10.16.4.21')]) {
    const { error } = IPLock.status!.safeParse(statusProbed(aLock(), finding, NOW));
    expect(error).toBeUndefined();
  }
});
