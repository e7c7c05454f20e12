import { expect, test } from '@jest/globals';
import { otherMachine } from '../../../lib/network/agent/machine.ts';

const EC2 = 'aws:///ap-northeast-1a/i-0123456789abcdef0';

test('a node that is the machine of its NodeNetwork binds and releases', () => {
  expect(otherMachine('h-r12-01', { machineID: '9f2c' }, { machineID: '9f2c' })).toBeUndefined();
  expect(otherMachine('burst-1', { machineID: 'of-the-image', providerID: EC2 }, { providerID: EC2 })).toBeUndefined();
});

test('another machine under the name of one that is lost is told apart, and both are named', () => {
  const said = otherMachine('h-r12-01', { machineID: '3c3c' }, { machineID: '9f2c' });
  expect(said).toMatch(/Node h-r12-01 is machine 3c3c, and its NodeNetwork is of 9f2c/);
  expect(otherMachine('burst-1', { machineID: '9f2c', providerID: `${EC2}9` }, { providerID: EC2 })).toContain(`${EC2}9`);
});

test('a machine that does not say which it is counts as another', () => {
  expect(otherMachine('h-r12-01', {}, { machineID: '9f2c' })).toContain('machine unknown');
});

test('where the Node or the NodeNetwork is not there, nothing is said of it here', () => {
  expect(otherMachine('h-r12-01', undefined, { machineID: '9f2c' })).toBeUndefined();
  expect(otherMachine('h-r12-01', { machineID: '9f2c' }, undefined)).toBeUndefined();
});
