import { describe, expect, test } from '@jest/globals';
import { declaredService } from '../../../fixtures/declared-service.ts';
import { issuerOf, jwtAuthorizersOf } from './jwt-authorizer.ts';

const authorizers = (service: string, Issuer: string, Audience: string[]) =>
  jwtAuthorizersOf(
    service,
    declaredService(service, [], {
      others: {
        Authorizer: {
          AuthorizerType: 'JWT',
          IdentitySource: ['$request.header.Authorization'],
          JwtConfiguration: { Issuer, Audience },
        },
      },
    }).resources,
  );

describe('the issuer of all services', () => {
  test('is the one that they name, for all of their audiences', () => {
    const both = [
      ...authorizers('orders', 'https://auth.example', ['shop', 'app']),
      ...authorizers('stock', 'https://auth.example', ['shop', 'warehouse']),
    ];
    expect(issuerOf(both)).toEqual({ issuer: 'https://auth.example', audiences: ['shop', 'app', 'warehouse'] });
  });

  test('is none where nobody asks for a token', () => {
    expect(issuerOf(jwtAuthorizersOf('orders', declaredService('orders', ['GET /orders']).resources))).toBeUndefined();
  });

  test('must be the same one: two are an error that names both', () => {
    const both = [
      ...authorizers('orders', 'https://auth.example', ['shop']),
      ...authorizers('stock', 'https://login.example', ['shop']),
    ];
    expect(() => issuerOf(both)).toThrow(
      'orders takes tokens of https://auth.example (TheAuthorizer) and stock of https://login.example (TheAuthorizer)',
    );
  });
});
