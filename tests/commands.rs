//! What the command line and `cargo bench` promise to whoever types them. What measures has the
//! machine to itself, so these tests are modules of one program, in which they take turns
//! (`support::alone`).

mod support;

mod bad_input;
mod benches;
mod cargo;
mod command_line;
mod comparisons;
mod explain;
mod go;
mod java;
mod newcomer;
mod node;
mod outside;
mod python;
mod refusals;
mod registry;
mod sharing;
mod shell;
mod surroundings;
mod survival;
mod terminal;
mod validators;
mod versions;
mod workers;
mod wrong_use;
