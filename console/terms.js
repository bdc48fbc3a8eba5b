// What an order asks for: its kinds, their fields, and what it will do, in the engine's own words.

/** Return a number's text without what says nothing: 0163.250 is 163.25. */
export function plain(text) {
  const [whole, part = ""] = String(text).trim().split(".");
  const end = part.replace(/0+$/, "");
  return (whole.replace(/^0+(?=\d)/, "") || "0") + (end && `.${end}`);
}

export const isNumber = (text) => /^(\d+\.?\d*|\.\d+)$/.test(String(text).trim()) && Number(text) > 0;

/** Hundredths of a percent of a percentage's text, or undefined. */
export const bpsOf = (percent) => (String(percent).trim() === "" ? undefined : Math.round(Number(percent) * 100));
export const percentOf = (bps) => plain((bps / 100).toFixed(2));

const price = (label, name, hint) => ({ name, label, hint, kind: "price", pointer: `/${name}` });
const SLIPPAGE = { name: "slippage", label: "Slippage", hint: "% below the quote, at most", kind: "percent", pointer: "/slippageBps" };
const EXPIRES = { name: "expires", label: "Ends", hint: "30 days from now if left empty", kind: "time", pointer: "/expiresAt" };
const above = (f) => (f.side === "sell" ? "or above" : "or below");
const below = (f) => (f.side === "sell" ? "or below" : "or above");

/** Every kind: what it is called, what for, its tolerance in bps, and its fields besides the trade. */
export const KINDS = {
  market: { name: "Market", what: "Trade now.", slippageBps: 50, fields: [SLIPPAGE] },
  limit: {
    name: "Limit", what: "Trade at a price or better.", slippageBps: 50,
    fields: [price("Limit price", "limitPrice", above), EXPIRES],
  },
  stop: {
    name: "Stop", what: "Trade when the price turns against you.", slippageBps: 300,
    fields: [price("Stop price", "stopPrice", below), SLIPPAGE, EXPIRES],
  },
  stopLimit: {
    name: "Stop-limit", what: "Become a limit order at the stop.", slippageBps: 50,
    fields: [price("Stop price", "stopPrice", below), price("Limit price", "limitPrice", above), EXPIRES],
  },
  takeProfit: {
    name: "Take-profit", what: "Trade when the price has come far enough.", slippageBps: 50,
    fields: [price("Target price", "stopPrice", above), SLIPPAGE, EXPIRES],
  },
  trailingStop: {
    name: "Trailing stop", what: "A stop that follows the best price.", slippageBps: 50,
    fields: [
      { name: "trailing", label: "Distance", hint: "% behind the best price", kind: "percent", pointer: "/trailingBps" },
      { ...price("Follows from", "activationPrice", above), optional: true },
      SLIPPAGE, EXPIRES,
    ],
  },
  oco: {
    name: "OCO", what: "One cancels other: take profit or stop loss, whichever comes first.", slippageBps: null,
    fields: [
      { ...price("Take profit at", "profitPrice", above), pointer: "/takeProfit/price" },
      { name: "profitSlippage", label: "Its slippage", hint: "%, 0.5 if left empty", kind: "percent", pointer: "/takeProfit/slippageBps", optional: true },
      { ...price("Stop loss at", "lossPrice", below), pointer: "/stopLoss/price" },
      { name: "lossSlippage", label: "Its slippage", hint: "%, 3 if left empty", kind: "percent", pointer: "/stopLoss/slippageBps", optional: true },
      EXPIRES,
    ],
  },
};

Object.assign(KINDS, {
  twap: {
    name: "TWAP", what: "Trade in equal parts over time.", slippageBps: 50,
    fields: [
      { name: "parts", label: "Parts", hint: "2 to 100", kind: "count", pointer: "/parts", fixed: true },
      { name: "intervalSeconds", label: "Every", hint: "seconds, 1 to 86400", kind: "count", pointer: "/intervalSeconds", fixed: true },
      { ...price("Only at", "minPrice", () => "or above"), optional: true },
      { ...price("And at", "maxPrice", () => "or below"), optional: true },
      SLIPPAGE, EXPIRES,
    ],
  },
  sniper: {
    name: "Sniper", what: "Buy a token with USDC when it launches.", slippageBps: 300, launch: true,
    fields: [
      { name: "token", label: "Token", hint: "its address, or its symbol, which anybody may take", kind: "text", pointer: "/tokenOut", fixed: true },
      { name: "maxAgeSeconds", label: "Within", hint: "seconds of its launch", kind: "count", pointer: "/maxAgeSeconds", fixed: true },
      { name: "minLiquidityUsd", label: "If its pools hold", hint: "US dollars; empty: any", kind: "price", pointer: "/minLiquidityUsd", optional: true, fixed: true },
      SLIPPAGE, EXPIRES,
    ],
  },
});

/** The kinds that this engine takes, as it was built with. */
export const offered = () => document.querySelector("meta[name=kinds]").content.split(" ").filter((kind) => KINDS[kind]);

export const kindName = (type) => KINDS[type]?.name ?? String(type);
export const tokensOf = (f) => {
  if (KINDS[f.kind].launch) return ["USDC", f.token?.trim() || "…"];
  const [base, quote] = String(f.pair).split("/");
  return f.side === "sell" ? [base, quote] : [quote, base];
};

/** Return what is missing or no number, by field. */
export function faults(f) {
  const found = {};
  if (!isNumber(f.amount)) found.amount = "A number above 0.";
  for (const { name, kind, optional } of KINDS[f.kind].fields) {
    const text = String(f[name] ?? "").trim();
    if (text === "") {
      if (!optional && (kind === "price" || kind === "count" || kind === "text" || name === "trailing")) found[name] = "This is needed.";
    } else if (kind === "price" && !isNumber(text)) found[name] = "A number above 0.";
    else if (kind === "percent" && !(/^\d*\.?\d{0,2}$/.test(text) && Number(text) <= 100)) found[name] = "A percentage, to two decimals.";
    else if (kind === "count" && !/^\d+$/.test(text)) found[name] = "A whole number.";
  }
  return found;
}

/** Return the terms as the API takes them, without the trade. */
function asked(f) {
  const has = (name) => KINDS[f.kind].fields.some((field) => field.name === name);
  const body = {};
  for (const { name, kind } of KINDS[f.kind].fields) {
    const text = String(f[name] ?? "").trim();
    if (text && ["limitPrice", "stopPrice", "activationPrice", "minPrice", "maxPrice", "minLiquidityUsd"].includes(name)) body[name] = text;
    if (text && kind === "count") body[name] = Number(text);
  }
  if (has("slippage") && f.slippage !== "") body.slippageBps = bpsOf(f.slippage);
  if (has("trailing")) body.trailingBps = bpsOf(f.trailing);
  if (has("profitPrice")) {
    body.takeProfit = { price: f.profitPrice.trim(), slippageBps: bpsOf(f.profitSlippage) };
    body.stopLoss = { price: f.lossPrice.trim(), slippageBps: bpsOf(f.lossSlippage) };
  }
  if (has("expires") && f.expires) body.expiresAt = new Date(f.expires).toISOString();
  return body;
}

/** Return the body of POST /api/orders/execute. */
export function bodyOf(f) {
  const [tokenIn, tokenOut] = tokensOf(f);
  const names = KINDS[f.kind].launch && tokenOut.length >= 32 ? { mint: tokenOut } : { tokenOut };
  return { type: f.kind, tokenIn, ...names, amount: f.amount.trim(), ...asked(f), ...(f.reject && !["market", "twap"].includes(f.kind) ? { ifTriggered: "reject" } : {}) };
}

/** Return the body of PATCH: what differs from the order. */
export function changesOf(f, order) {
  const was = asked(fieldsOf(order)), now = asked(f);
  return Object.fromEntries(Object.entries(now).filter(([name, to]) => JSON.stringify(was[name]) !== JSON.stringify(to)));
}

/** Return an order's terms as the fields of a form. */
export function fieldsOf(o) {
  const at = o.expiresAt ? new Date(o.expiresAt) : null;
  const local = at && new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  return {
    kind: o.type, pair: o.pair, side: o.side, amount: o.amount,
    slippage: percentOf(o.slippageBps), limitPrice: o.limitPrice ?? "", stopPrice: o.stopPrice ?? "",
    trailing: (o.trailingBps ?? null) === null ? "" : percentOf(o.trailingBps), activationPrice: o.activationPrice ?? "",
    profitPrice: o.takeProfit?.price ?? "", profitSlippage: o.takeProfit ? percentOf(o.takeProfit.slippageBps) : "",
    lossPrice: o.stopLoss?.price ?? "", lossSlippage: o.stopLoss ? percentOf(o.stopLoss.slippageBps) : "",
    parts: o.parts ?? "", intervalSeconds: o.intervalSeconds ?? "", minPrice: o.minPrice ?? "", maxPrice: o.maxPrice ?? "",
    token: o.mint ?? o.tokenOut, maxAgeSeconds: o.maxAgeSeconds ?? "", minLiquidityUsd: o.minLiquidityUsd ?? "",
    expires: local ?? "",
  };
}

// The summary, as engine/domain/terms.py words it.

/** Say in one sentence what an order will do, or return null while something is missing. */
export function summaryOf(f, now = Date.now()) {
  if (Object.keys(faults(f)).length) return null;
  const [tokenIn, tokenOut] = tokensOf(f), [base, quote] = f.pair.split("/");
  const sell = f.side === "sell", profit = sell ? "above" : "below", loss = sell ? "below" : "above";
  const when = (text, direction) => `${f.pair} is at ${plain(text)} or ${direction}`;
  const tolerance = (bps) => `at most ${percentOf(bps)} % below its quote`;
  const limit = () => `at no ${sell ? "less" : "more"} than ${plain(f.limitPrice)} ${quote} for one ${base}`;
  const own = tolerance(bpsOf(f.slippage) ?? KINDS[f.kind].slippageBps);
  const said = {
    market: () => ` now, ${own}`,
    limit: () => ` when ${when(f.limitPrice, profit)}, ${limit()}`,
    stop: () => ` when ${when(f.stopPrice, loss)}, ${own}`,
    stopLimit: () => ` when ${when(f.stopPrice, loss)}, ${limit()}`,
    takeProfit: () => ` when ${when(f.stopPrice, profit)}, ${own}`,
    trailingStop: () =>
      ` when ${f.pair} is ${percentOf(bpsOf(f.trailing))} % ${sell ? "below its highest" : "above its lowest"} ` +
      `${f.activationPrice ? `once ${when(f.activationPrice, profit)}` : "from now on"}, ${own}`,
    oco: () =>
      ` when ${when(f.profitPrice, profit)}, ${tolerance(bpsOf(f.profitSlippage) ?? 50)},` +
      ` or when ${when(f.lossPrice, loss)}, ${tolerance(bpsOf(f.lossSlippage) ?? 300)}, whichever comes first`,
    twap: () => {
      const band = [f.minPrice && `${plain(f.minPrice)} or above`, f.maxPrice && `${plain(f.maxPrice)} or below`].filter(Boolean);
      return ` in ${Number(f.parts)} parts, one every ${Number(f.intervalSeconds)} seconds, each ${own}${band.length ? `, while ${f.pair} is at ${band.join(" and at ")}` : ""}`;
    },
    sniper: () => ` when it launches, within ${Number(f.maxAgeSeconds)} s of that${f.minLiquidityUsd ? `, if its pools hold ${plain(f.minLiquidityUsd)} USD` : ""}, ${own}`,
  }[f.kind]();
  const trade = sell && !KINDS[f.kind].launch ? `Sell ${plain(f.amount)} ${tokenIn} for ${tokenOut}` : `Buy ${tokenOut} with ${plain(f.amount)} ${tokenIn}`;
  const end = f.expires ? new Date(f.expires).getTime() : now + 30 * 86_400_000;
  const until = f.kind === "market" ? "" : `; until ${new Date(end).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return `${trade}${said}${until}.`;
}

/** Return how far a resting order's nearest level is from the price, in percent; null if unknown. */
export function distance(order, price) {
  const levels = order.trigger?.levels ?? [];
  if (order.status !== "resting" || !price || !levels.length) return null;
  return Math.min(...levels.map((level) => {
    const away = (Number(level.price) - price) / price * 100;
    return Math.max(0, level.direction === "above" ? away : -away);
  }));
}
