//! What can be read: the house and its words, the schemas, the published runs, and inputs that were
//! kept. Nothing is measured here.

mod support;

mod corpus;
mod documents;
mod features;
mod house;
mod published;
mod schemas;
mod supply;
