// What the GraphQL clients need of the server that is under test.
export const env = process.env;

// thirdPartyToken is a token of the application that reads what customers use.
export const thirdPartyToken = () => granted(env.THIRD_PARTY_CLIENT_ID, env.THIRD_PARTY_CLIENT_SECRET, "customer");

async function granted(client_id, client_secret, audience) {
  const body = new URLSearchParams({ grant_type: "client_credentials", audience, client_id, client_secret });
  const answer = await fetch(`${env.WATTGATE_AUTH_URL}/oauth2/token`, { method: "POST", body });
  return (await answer.json()).access_token;
}

// ago is the day so many days ago, where the household is.
export const ago = (days) => new Intl.DateTimeFormat("sv", { timeZone: "Europe/Amsterdam" }).format(Date.now() - days * 48 * halfHour);

// send sets all half-hours of a day at the household to a value, as its metering
// company does.
export async function send(day, value) {
  const token = await granted(env.METERING_CLIENT_ID, env.METERING_CLIENT_SECRET, "measurements");
  const [from, to] = [midnight(day, 0), midnight(day, 1)];
  let lines = "";
  for (let at = from; at < to; at += halfHour) {
    const [startAt, endAt] = [at, at + halfHour].map((t) => new Date(t).toISOString());
    lines += `${JSON.stringify({ supplyPoint: env.SUPPLY_POINT_ID, registerId: "1.8.0", direction: "CONSUMPTION", startAt, endAt, value, unit: "kwh", quality: "ACTUAL" })}\n`;
  }
  const answer = await fetch(`${env.WATTGATE_CUSTOMER_URL}/v1/measurements`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${token}`, "idempotency-key": `${day}/${value}` },
    body: lines,
  });
  const taken = await answer.json();
  if (answer.status !== 200 || taken.corrected !== (to - from) / halfHour) throw new Error(`${answer.status} ${JSON.stringify(taken)}`);
}

const halfHour = 30 * 60 * 1000;

// midnight is when a day in Amsterdam begins, or the day so many days later.
function midnight(day, later) {
  const utc = Date.parse(`${day}T00:00:00Z`) + later * 48 * halfHour;
  const hour = new Intl.DateTimeFormat("en", { timeZone: "Europe/Amsterdam", hour: "numeric", hourCycle: "h23" }).format(utc);
  return utc - Number(hour) * 2 * halfHour;
}
