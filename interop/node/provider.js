// A company's OpenID provider: the certified `oidc-provider`, with its own pages for trying things out, where any name signs in.
//
//   node provider.js KEY_AND_CERTIFICATE.pem CLIENT_ID CLIENT_SECRET REDIRECT_URI
//
// Prints its issuer once it answers. Ends with its standard input.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [pem, clientId, clientSecret, redirectUri] = process.argv.slice(2);
const identity = readFileSync(pem);
const server = createServer({ key: identity, cert: identity });

server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    // As most providers do: what was asked for stands in the id token.
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@keyless.localhost`, email_verified: !id.startsWith('unverified') }),
    }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});

process.stdin.on('end', () => process.exit(0)).resume();
