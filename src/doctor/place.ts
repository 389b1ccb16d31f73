import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Where a URL points to, as the functions of a network take it: IPv6 without brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Where the network of an address is. */
export function reachOf(address: string): 'machine' | 'private' | 'public' {
  if (isIP(address) === 0) return address === 'localhost' ? 'machine' : 'public';
  const range = ipaddr.process(address).range();
  if (range === 'loopback') return 'machine';
  return ['private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat'].includes(range)
    ? 'private'
    : 'public';
}
