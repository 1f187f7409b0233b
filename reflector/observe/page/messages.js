// The messages of a node, decoded one by one, in a dialog that opens where its tile is clicked.
"use strict";

const MESSAGES_SHOWN = 300; // of each connection, the last ones; the files have all
const spoken = { address: "" };

byId("clusters").addEventListener("click", (event) => {
  const node = event.target.closest(".node");
  if (node && !event.target.closest("button:not(.name), a, input")) openMessages(node.dataset.address);
});
byId("messages-again").addEventListener("click", () => fetchMessages());

function openMessages(address) {
  spoken.address = address;
  const below = `api/v1/neighbors/${encodeURIComponent(address)}/messages`;
  byId("messages-title").textContent = `Messages of ${address}`;
  byId("messages-pcap").href = `${below}.pcap`;
  byId("messages-mrt").href = `${below}.mrt`;
  for (const kind of ["pcap", "mrt"]) byId(`messages-${kind}`).download = `${address.replaceAll(":", "-")}.${kind}`;
  byId("conversations").replaceChildren();
  byId("messages").showModal();
  fetchMessages();
}

async function fetchMessages() {
  const { address } = spoken;
  const box = byId("conversations");
  try {
    const response = await fetch(`api/v1/neighbors/${encodeURIComponent(address)}/messages`);
    const answer = await response.json();
    if (address !== spoken.address) return;
    // What happens now is at the top: the newest connection first, but its messages in their order.
    box.replaceChildren(...(response.ok ? answer.connections.reverse().map(conversation) : [make("p", "", answer.error)]));
  } catch {
    box.replaceChildren(make("p", "", "The reflector gives no answer."));
  }
}

function conversation(connection) {
  const name = connection.host_name || connection.description;
  const dialled = connection.direction === "outbound" ? "we dialled it" : "it dialled us";
  const messages = connection.messages.slice(-MESSAGES_SHOWN);
  const left = connection.messages.length - messages.length;
  const parts = [make("h3", "", `${name ? `${name}, ` : ""}port ${connection.remote_port}, ${dialled}: ${connection.state}`)];
  if (left) parts.push(make("p", "", `${count(left, "message")} before these: the files have them.`));
  parts.push(make("ol", "messages", ...messages.map(messageRow)));
  if (connection.state !== "Closed") parts.push(make("p", "ended", "UPDATEs to it are kept from now on, for 10 minutes."));
  if (connection.reason) parts.push(make("p", "ended", ...unbroken(`The session ended: ${connection.reason}`)));
  return make("section", "", ...parts);
}

function messageRow(message) {
  const at = new Date(message.at * 1000);
  const time = make("time", "", `${at.toLocaleTimeString("en-GB")}.${String(at.getMilliseconds()).padStart(3, "0")}`);
  time.dateTime = at.toISOString();
  const from = message.direction === "received" ? "◀ it says" : "▶ we say";
  const says = [make("b", "", message.type), message.says ? ` ${message.says}` : ""];
  if (message.times) says.push(` ${message.times} in a row, the last at ${new Date(message.last_at * 1000).toLocaleTimeString("en-GB")}`);
  if (message.missing_before) says.unshift(make("i", "", `${count(message.missing_before, "octet")} before this are not kept. `));
  const line = [time, make("span", `way ${message.direction}`, from), make("span", "", ...says)];
  const fields = fieldsOf(message);
  if (!fields.length) return make("li", "plain", ...line);
  const details = make("details", "", make("summary", "", ...line));
  // Made when somebody looks: there are hundreds.
  details.addEventListener("toggle", () => { if (details.childElementCount === 1) details.append(make("dl", "", ...fields.flatMap(([key, value]) => [make("dt", "", key), make("dd", "", value)]))); });
  return make("li", "", details);
}

/** A message's fields, each as a name and a text. */
function fieldsOf({ details, malformed }) {
  const fields = malformed ? [["can't be read", malformed]] : [];
  for (const each of details.announced || []) fields.push([`announces ${each.family}`, `${prefixesOf(each)} via ${each.next_hop}`]);
  for (const each of details.withdrawn || []) fields.push([`withdraws ${each.family}`, prefixesOf(each)]);
  for (const each of details.attributes || []) {
    const flags = each.flags && each.flags.length ? ` (${each.flags.join(", ")})` : "";
    fields.push([each.name, `${valueOf(each)}${flags}`]);
  }
  for (const each of details.capabilities || []) fields.push([`${each.name} (${each.code})`, each.says || `0x${each.value_hex}`]);
  for (const [key, value] of Object.entries(details)) {
    if (!Array.isArray(value) && value !== "") fields.push([key.replaceAll("_", " "), String(value)]);
  }
  return fields;
}

function prefixesOf(routes) {
  const more = routes.count - routes.prefixes.length;
  return routes.prefixes.join(", ") + (more > 0 ? ` and ${more.toLocaleString("en")} more` : "");
}

function valueOf({ value, value_hex: hex }) {
  if (value === null || value === undefined) return `0x${hex}`;
  if (value === "") return "empty";
  if (value.asn) return `AS ${value.asn} ${value.address}`;
  return Array.isArray(value) ? value.join(", ") : String(value);
}
