// The text of the headers tab: JSON, of which somebody may be in the middle.

/** What the headers tab begins with. */
export const empty = write({ Authorization: "" });

/** The Authorization header in a text, without a scheme; "" where there is none. */
export function tokenIn(text) {
  const headers = read(text) ?? {};
  const value = headers[named(headers)];
  return typeof value === "string" ? value.trim().replace(/^(bearer|jwt)\s+/i, "") : "";
}

/** The text with another token; other headers stay as they are. */
export function withToken(text, token) {
  const headers = read(text) ?? {};
  headers[named(headers)] = token;
  return write(headers);
}

/**
 * What a token says of itself, or null where it is no JSON Web Token. Nothing is
 * verified: that is for whoever lets it in.
 */
export function claimsOf(token) {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  try {
    const bytes = Uint8Array.from(atob(parts[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? claims : null;
  } catch {
    return null;
  }
}

function named(headers) {
  return Object.keys(headers).find((name) => name.toLowerCase() === "authorization") ?? "Authorization";
}

function read(text) {
  try {
    const headers = JSON.parse(text);
    return typeof headers === "object" && headers !== null && !Array.isArray(headers) ? headers : null;
  } catch {
    return null;
  }
}

function write(headers) {
  return JSON.stringify(headers, null, 2);
}
