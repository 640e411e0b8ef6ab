/** The native homeserver, and a real Synapse under the same load. */
import { startNeurite, startSynapse } from "../services/programs.mjs";
import { loadHomeserver } from "./homeserver.mjs";
import { inFolder } from "./place.mjs";

/** @typedef {import("./figures.mjs").Figures} Figures */

/** @param {Figures} figures */
export async function native(figures) {
  await inFolder(async (folder) => {
    const server = await startNeurite(folder);
    try {
      await loadHomeserver(figures, server.base, server.pid);
    } finally {
      await server.stop();
    }
  });
}

/** @param {Figures} figures */
export async function synapse(figures) {
  figures.part = "native"; // the same figures, of the peer
  figures.side = "peer";
  const folder = process.env.SYNAPSE;
  if (!folder) {
    figures.note(process.env.SYNAPSE_WHY ?? "no Synapse beside it: SYNAPSE names no folder");
    return;
  }
  const server = await startSynapse(folder);
  try {
    await loadHomeserver(figures, server.base, server.pid);
  } finally {
    await server.stop();
  }
}
