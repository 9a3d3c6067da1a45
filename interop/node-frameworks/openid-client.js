// Prints a token for an application, got as OpenID Connect's own libraries do: `node openid-client.js AUTHORITY TENANT CLIENT SECRET SCOPE`.
import * as client from "openid-client";

const [authority, tenant, id, secret, scope] = process.argv.slice(2);
const wayOfSecret = process.env.BASIC ? client.ClientSecretBasic(secret) : client.ClientSecretPost(secret);
try {
  const known = await client.discovery(new URL(`${authority}/${tenant}/v2.0`), id, undefined, wayOfSecret);
  console.log((await client.clientCredentialsGrant(known, { scope })).access_token);
} catch (error) {
  console.error(error.error_description ?? error.message);
  process.exitCode = 1;
}
