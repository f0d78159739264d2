// What the page asks: its own origin only, without a cookie, and past all caches.
import { follow, subscribes } from "./follow.js";

const json = { "Content-Type": "application/json", Accept: "application/json" };
const quietly = { method: "POST", credentials: "omit", cache: "no-store", redirect: "error" };

/** Refusal is an answer that is no token, in words for people. */
export class Refusal extends Error {}

/** The header that asks for the complexity of a query, and that tells it. */
const price = "X-Kraken-Query-Complexity";

/**
 * Returns what GraphiQL sends its queries with. Headers without a value are left
 * out. noted is told of the answer to what somebody has run.
 */
export function sender(url, noted) {
  return async ({ query, variables, operationName }, { headers, documentAST } = {}) => {
    const given = Object.entries(headers ?? {}).filter(([, value]) => value !== "" && value !== null);
    if (subscribes(documentAST, operationName)) return follow(url, Object.fromEntries(given), { query, variables, operationName });
    const own = new Headers(json);
    for (const [name, value] of given) own.set(name, String(value));
    const asked = own.has(price);
    if (!asked) own.set(price, "true");
    const begun = performance.now();
    const body = JSON.stringify({ query, variables, operationName });
    const answer = await fetch(url, { ...quietly, headers: own, body }).catch((error) => {
      throw { message: `The server cannot be reached: ${error.message}` };
    });
    const text = await answer.text();
    if (operationName !== "IntrospectionQuery") {
      noted({
        status: answer.status,
        took: performance.now() - begun,
        size: new Blob([text]).size,
        price: answer.headers.get(price),
        id: answer.headers.get("X-Request-Id"),
      });
    }
    let said;
    try {
      said = JSON.parse(text);
    } catch {
      throw { message: `The answer is not JSON (status ${answer.status}): ${text.slice(0, 200)}` };
    }
    if (!asked && said.extensions?.complexity) { // the answer as it is without the question
      delete said.extensions.complexity;
      if (Object.keys(said.extensions).length === 0) delete said.extensions;
    }
    // A schema that is refused is null, which GraphiQL takes for a broken one.
    if (said.data?.__schema === null) delete said.data;
    return said;
  };
}

/** Whether the schema is open to everybody here: by default it is not. */
export async function isSchemaOpen(url) {
  const answer = await fetch(url, { ...quietly, headers: json, body: JSON.stringify({ query: "{ __schema { queryType { name } } }" }) });
  const said = await answer.json();
  return Boolean(said.data?.__schema);
}

/** A token of an application, or for one of its customers where customer is given. */
export async function applicationToken({ id, secret, customer }, signal) {
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret });
  const token = await tokenFrom(await fetch("/token/", { ...quietly, signal, body }));
  if (!customer) return token;
  const address = `/v1/auth/impersonate?${new URLSearchParams({ user_id: customer })}`;
  return tokenFrom(await fetch(address, { ...quietly, method: "GET", signal, headers: { Authorization: token } }));
}

async function tokenFrom(answer) {
  const said = await answer.json().catch(() => ({}));
  if (answer.ok && typeof said.access_token === "string") return said.access_token;
  switch (said.error) {
    case "invalid_client":
      throw new Refusal("These credentials are not accepted. Look at both of them, and whether they are for this environment.");
    case "unauthorized_client":
      throw new Refusal("This application may not ask for a token in this way: its authorization grant type is another one.");
    case "insufficient_scope":
      throw new Refusal("This application may not act for customers: its API role lacks CAN_IMPERSONATE.");
    case "not_found":
      throw new Refusal("This application's partner has no such customer.");
  }
  throw refusal(answer, said.error_description ?? said.error);
}

const signIn = "mutation signIn($input: ObtainJSONWebTokenInput!) { obtainKrakenToken(input: $input) { token } }";

/** A token of a customer who logs in. */
export async function customerToken(url, { email, password }, signal) {
  const answer = await fetch(url, {
    ...quietly,
    signal,
    headers: json,
    body: JSON.stringify({ query: signIn, operationName: "signIn", variables: { input: { email, password } } }),
  });
  const said = await answer.json().catch(() => ({}));
  const token = said.data?.obtainKrakenToken?.token;
  if (typeof token === "string") return token;
  const error = said.errors?.[0];
  if (error?.extensions?.errorCode === "KT-CT-1138") throw new Refusal("This e-mail address and password are not accepted. Look at both of them.");
  throw refusal(answer, error && [error.message, error.extensions?.errorDescription, error.extensions?.errorCode].filter(Boolean).join(" "));
}

function refusal(answer, said) {
  const wait = answer.headers.get("Retry-After");
  if (answer.status === 429 || wait) return new Refusal(`There were too many tries. ${wait ? `Try again in ${wait} seconds.` : "Try again later."}`);
  return new Refusal(said ? `The server refuses this: ${said}` : `The server answers with status ${answer.status}, and no token.`);
}
