/** What follows from a launch alone: the same for any process, another for any other launch. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bootstrapToken, type Launch, launchedAs, launchTags, launchToken, type Offer } from '../../lib/cloud/launch.ts';

const TAGS = { cluster: 'cloud-a', clusterUid: 'uid-1' };
const KEY = new Uint8Array(32).fill(7);
const aLaunch: fc.Arbitrary<Launch> = fc.record({
  pool: fc.stringMatching(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/),
  place: fc.integer({ min: 0, max: 4_999 }),
  generation: fc.integer({ min: 0, max: 999_999_999 }),
});
const OFFER: Offer = { type: 'c5.large', zone: 'ap-northeast-1a', subnetId: 'subnet-0a1' };
const tokenOf = (launch: Launch, offer = OFFER, template = 't-1', uid = 'uid-1') => launchToken(uid, launch, offer, template);

test('its client token is one that EC2 takes, and another one for another place, generation, pool, cluster, template and offer', () =>
  fc.assert(
    fc.property(aLaunch, (launch) => {
      const { pool, place, generation } = launch;
      const others = [
        tokenOf({ pool: pool.length < 40 ? `${pool}x` : `x${pool.slice(1, 39)}y`, place, generation }),
        tokenOf({ pool, place: place + 1, generation }),
        tokenOf({ pool, place, generation: generation + 1 }),
        tokenOf(launch, { ...OFFER, type: 'm5.large' }),
        tokenOf(launch, { ...OFFER, subnetId: 'subnet-0a2' }),
        tokenOf(launch, { ...OFFER, reservationId: 'cr-1' }),
        tokenOf(launch, OFFER, 't-2'),
        tokenOf(launch, OFFER, 't-1', 'uid-2'),
      ];
      // Of EC2, up to 64 ASCII characters (ec2-api-idempotency.html).
      expect(tokenOf(launch)).toMatch(/^[ -~]{1,64}$/);
      expect(tokenOf(launch)).toBe(tokenOf({ ...launch }));
      expect(others).not.toContain(tokenOf(launch));
    }),
  ));

test('its bootstrap token has the form that Kubernetes takes, and is another one by another key, cluster or launch', () =>
  fc.assert(
    fc.property(aLaunch, (launch) => {
      const { id, secret } = bootstrapToken(KEY, 'uid-1', launch);
      expect(`${id}.${secret}`).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
      expect(bootstrapToken(KEY, 'uid-1', { ...launch })).toEqual({ id, secret });
      const others = [
        bootstrapToken(new Uint8Array(32), 'uid-1', launch),
        bootstrapToken(KEY, 'uid-2', launch),
        bootstrapToken(KEY, 'uid-1', { ...launch, generation: launch.generation + 1 }),
      ];
      expect(others.map((each) => each.secret)).not.toContain(secret);
    }),
  ));

test('its tags say which launch it is, to its own cluster alone, and not when somebody has changed them', () =>
  fc.assert(
    fc.property(aLaunch, (launch) => {
      const tags = launchTags(TAGS, launch);
      expect(launchedAs(tags, TAGS)).toEqual(launch);
      expect(launchedAs(tags, { ...TAGS, clusterUid: 'uid-2' })).toBeUndefined();
      expect(launchedAs({ ...tags, 'gala.internal/launch': 'mine' }, TAGS)).toBeUndefined();
      // EC2 takes 256 characters of a tag's value.
      expect(Object.values(tags).every((value) => value.length <= 256)).toBe(true);
    }),
  ));
