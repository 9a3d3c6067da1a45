// npm oidc-provider as a token issuer: client_credentials with a client secret, JWT access tokens, everything in memory.
//
//   node oidc-provider.js PORT KEY.pem CERT.pem CLIENT_ID CLIENT_SECRET
//
// The requested resource chooses the algorithm: https://rs256.example or https://es256.example.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [port, key, cert, clientId, clientSecret] = process.argv.slice(2);
const RESOURCES = { 'https://rs256.example': 'RS256', 'https://es256.example': 'ES256' };

const jwk = (kid, alg, type, options) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
};

const provider = new Provider(`https://localhost:${port}`, {
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  jwks: {
    keys: [
      jwk('rsa', 'RS256', 'rsa', { modulusLength: 2048 }),
      jwk('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
    ],
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: '',
        audience: resource,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: RESOURCES[resource] } },
      }),
    },
  },
});

createServer({ key: readFileSync(key), cert: readFileSync(cert) }, provider.callback()).listen(Number(port), '127.0.0.1');
