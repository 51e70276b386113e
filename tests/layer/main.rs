//! Tests of the layer in front of real servers, over real sockets.

mod bounds;
mod capture;
mod connection;
mod fallback;
mod fixture;
mod fuzz;
mod host;
mod layers;
mod outage;
mod placement;
mod policy;
mod rows;
mod server;
mod table;
mod upgrade;
mod uses;
mod wire;
