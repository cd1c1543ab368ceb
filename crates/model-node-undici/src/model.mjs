import { serve } from "node-kit/inflight.mjs";
import { fetchAll } from "node-kit/undici.mjs";

serve({ undici: process.versions.undici }, fetchAll);
