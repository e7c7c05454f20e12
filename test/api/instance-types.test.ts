/** What an EC2 instance type carries: facts against EC2's published limits, and the rule for pod ENIs. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type InstanceType, instanceType, instanceTypeNames, nearestType, podEnis, TABLE_DATE } from '../../lib/api/instance-types.ts';

const theType = (name: string): InstanceType => {
  const type = instanceType(name);
  if (type === undefined) throw new Error(`${name} is not in the table`);
  return type;
};

describe('the table', () => {
  test('a c5.4xlarge is what the EC2 user guide says it is', () => {
    expect(instanceType('c5.4xlarge')).toEqual({
      name: 'c5.4xlarge',
      architecture: 'x86_64',
      vcpus: 16,
      memoryMiB: 32768,
      networkInterfaces: 8,
      ipv4PerInterface: 30,
      baselineGbps: 5,
      peakGbps: 10,
      networkCards: [{ networkCardIndex: 0, networkInterfaces: 8, peakGbps: 10 }],
      attachments: 'shared',
      ebsVolumes: 27,
    });
  });

  test.each([
    ['c5', ['large', 'xlarge', '2xlarge', '4xlarge', '9xlarge', '12xlarge', '18xlarge', '24xlarge', 'metal']],
    ['m5', ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', 'metal']],
    ['r5', ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', 'metal']],
    ...['c6i', 'm6i', 'r6i'].map((family): [string, string[]] => [
      family,
      ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '32xlarge', 'metal'],
    ]),
    ...['c6g', 'm6g', 'r6g', 'c7g', 'm7g', 'r7g'].map((family): [string, string[]] => [
      family,
      ['medium', 'large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', 'metal'],
    ]),
    ...['c7i', 'm7i', 'r7i'].map((family): [string, string[]] => [
      family,
      ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '12xlarge', '16xlarge', '24xlarge', '48xlarge', 'metal-24xl', 'metal-48xl'],
    ]),
    ['t3', ['nano', 'micro', 'small', 'medium', 'large', 'xlarge', '2xlarge']],
  ])('the family %s is there in all its sizes', (family, sizes) => {
    expect(instanceTypeNames().filter((name) => name.startsWith(`${family}.`))).toEqual(sizes.map((size) => `${family}.${size}`).sort());
  });

  test('every type has a primary ENI, its cards hold as many ENIs as the type, and its figures are figures', () => {
    const odd = instanceTypeNames()
      .map(theType)
      .filter(
        (type) =>
          !(
            type.networkInterfaces >= 1 &&
            type.networkCards.reduce((sum, card) => sum + card.networkInterfaces, 0) === type.networkInterfaces &&
            type.baselineGbps > 0 &&
            type.baselineGbps <= type.peakGbps &&
            [type.vcpus, type.memoryMiB, type.ipv4PerInterface, type.ebsVolumes].every((n) => Number.isSafeInteger(n) && n > 0)
          ),
      );
    expect(odd).toEqual([]);
  });

  test('a type with two network cards says how many ENIs each takes', () => {
    expect(theType('c6in.32xlarge').networkCards.map((card) => card.networkInterfaces)).toEqual([8, 8]);
  });

  test('Graviton types are arm64', () => {
    expect(['c6g.large', 'm7g.xlarge', 'r7g.metal'].map((name) => theType(name).architecture)).toEqual(['arm64', 'arm64', 'arm64']);
  });

  test('a name that only JavaScript knows is no instance type', () => {
    expect(['constructor', '__proto__', 'toString', ''].map(instanceType)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('the table says of what day it is', () => expect(TABLE_DATE).toMatch(/^20[0-9]{2}-[01][0-9]-[0-3][0-9]$/));
});

describe('pod ENIs', () => {
  test.each([
    ['c5.large', 2],
    ['c5.4xlarge', 7],
    ['m5.4xlarge', 7],
    ['c5.24xlarge', 14],
    ['t3.nano', 1],
  ])('a %s carries %i pods: the node keeps one ENI', (name, pods) => expect(podEnis(theType(name))).toBe(pods));

  test('where places are shared, volumes push ENIs out: 27 beside the primary, less root, less 20 volumes', () => {
    expect(podEnis(theType('c5.24xlarge'), 20)).toBe(6);
    expect(podEnis(theType('c5.24xlarge'), 12)).toBe(14);
  });

  test('where places are dedicated, volumes cost no ENI', () => expect(podEnis(theType('m7i.24xlarge'), 60)).toBe(14));

  test('never fewer than none, never the primary, and a volume more never means an ENI more', () => {
    const anyType = fc.constantFrom(...instanceTypeNames()).map(theType);
    fc.assert(
      fc.property(anyType, fc.nat(200), (type, volumes) => {
        const enis = podEnis(type, volumes);
        return enis >= 0 && enis < type.networkInterfaces && podEnis(type, volumes + 1) <= enis;
      }),
    );
  });

  test('a count of volumes that is no count is refused', () => {
    expect(() => podEnis(theType('c5.large'), -1)).toThrow('volumes is -1; it counts EBS volumes beside the root volume');
    expect(() => podEnis(theType('c5.large'), 0.5)).toThrow(RangeError);
  });
});

describe('the nearest name', () => {
  test.each([
    ['c5.4xlrage', 'c5.4xlarge'],
    ['c5.4xlarge', 'c5.4xlarge'],
    ['m5.4x-large', 'm5.4xlarge'],
    ['t3.smal', 't3.small'],
  ])('%s was meant as %s', (typed, meant) => expect(nearestType(typed)).toBe(meant));
});
