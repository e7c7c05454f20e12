import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { place, stock } from 'cdk8s-gala/stock';
import { rendered } from 'cdk8s-gala/testing';
import { parse } from 'yaml';
import bjA from '../../clusters/bj-a.ts';
import { aDemand, aTemplate } from './builders.ts';

const feed = parse(readFileSync(join(import.meta.dirname, '../../examples/feed.yaml'), 'utf8'));
const out = rendered(bjA);

test('the gala fits with rack r14 dark', () => {
  const dark = out.planned().without('rack=r14');
  expect(stock(dark, feed, { strategy: 'spread' }).count).toBeGreaterThanOrEqual(300);
  expect(stock(dark, feed).nodes.filter(({ node }) => node.includes('r14'))).toEqual([]);
});

test('a Deployment, its template and its demand are the same question', () => {
  const demand = aDemand({ namespace: 'feed', cpu: 2, memory: '4Gi', ephemeral: '20Gi', egress: '200M', labels: { app: 'feed-api' } });
  const byDemand = stock(out.planned(), { demand, strategy: 'spread' });
  expect(stock(out.planned(), feed)).toEqual(byDemand);
  expect(stock(out.planned(), feed.spec.template, { namespace: 'feed' })).toEqual(byDemand);
});

test('a template is placed with its addresses, as its namespace may have them', () => {
  const placed = place(out.planned(), feed, 2, { strategy: 'concentrate' });
  // VLAN 130 is for two racks, 110 for all; 120 is the other namespace's.
  expect(placed).toEqual({
    slots: [
      { node: 'bj-a-r12-01', address: '10.110.1.0' },
      { node: 'bj-a-r12-01', address: '10.110.1.1' },
    ],
  });
  expect(place(out.planned(), feed, 5000, { allowPartial: true })).toMatchObject({ slots: expect.any(Array) });
});

test('what is wrong with a template is said, all of it', () => {
  const wrong = aTemplate({ cpu: '-1', memory: 'lots' });
  expect(() => stock(out.planned(), wrong)).toThrow(/cpu is '-1', which is negative.*memory is 'lots', which is no quantity/s);
});
