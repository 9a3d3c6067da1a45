// Prints a token got with one credential of @azure/identity: `node get-token.js '{"kind": ..., ...}'`. A device code's
// message goes to standard error, as JSON.
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  DeviceCodeCredential,
  OnBehalfOfCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";

const wanted = JSON.parse(process.argv[2]);
const { tenant, client } = wanted;
const options = { authorityHost: wanted.authority, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };

const credentials = {
  secret: () => new ClientSecretCredential(tenant, client, wanted.secret, options),
  certificate: () => new ClientCertificateCredential(tenant, client, wanted.file, options),
  assertion: () => new ClientAssertionCredential(tenant, client, async () => wanted.assertion, options),
  workload: () => new WorkloadIdentityCredential({ tenantId: tenant, clientId: client, tokenFilePath: wanted.file, ...options }),
  "on-behalf-of": () =>
    new OnBehalfOfCredential({ tenantId: tenant, clientId: client, clientSecret: wanted.secret, userAssertionToken: wanted.assertion, ...options }),
  "device-code": () =>
    new DeviceCodeCredential({ tenantId: tenant, userPromptCallback: (shown) => console.error(JSON.stringify(shown)), ...options }),
};

try {
  const { token } = await credentials[wanted.kind]().getToken("https://cognitiveservices.azure.com/.default");
  console.log(token);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
