//! The table of operations: what there is, who may call it, and what may go wrong.

use super::operation::Access::{Actor, Admin, Anyone, Token};
use super::operation::Method::{Delete, Get, Patch, Post};
use super::operation::Operation;
use super::{
    catalog, copy, current, delete, document, issue, list, regenerate, revoke, scopes, show, update,
};
use crate::problem::Kind;

/// Making a token: it may be one too many, or wider than its caller may make it.
const MINTING: &[Kind] = &[Kind::TokenLimit, Kind::ScopeNotGrantable, Kind::OwnerDisabled];

/// Copying another token.
const COPYING: &[Kind] =
    &[Kind::OwnerOnly, Kind::TokenLimit, Kind::ScopeNotGrantable, Kind::OwnerDisabled];

/// Editing a token, its scopes included.
const EDITING: &[Kind] =
    &[Kind::OwnerOnly, Kind::ScopeNotGrantable, Kind::OwnerDisabled, Kind::Conflict];

/// Editing a token, its end included.
const UPDATING: &[Kind] =
    &[Kind::OwnerOnly, Kind::ScopeNotGrantable, Kind::OwnerDisabled, Kind::Conflict, Kind::Ended];

/// Taking from a token what it holds.
const NARROWING: &[Kind] = &[Kind::OwnerOnly, Kind::Conflict];

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Post, "/", Actor, "issueToken", issue::issue)
            .summary("Issue a token")
            .fails(MINTING),
        Operation::new(Get, "/", Actor, "listTokens", list::list)
            .summary("List tokens")
            .description("The caller's own; everybody's, or one owner's, for an admin.")
            .fails(&[Kind::AdminOnly]),
        Operation::new(Delete, "/", Actor, "deleteAllTokens", delete::delete_all)
            .summary("Delete all of the caller's own tokens")
            .fails(&[Kind::OwnerOnly]),
        Operation::new(Get, "/{id}", Actor, "showToken", show::show).summary("Show a token"),
        Operation::new(Patch, "/{id}", Actor, "updateToken", update::update)
            .summary("Change a token's name, description, scopes or expiry")
            .description("What is the same already is no change: the revision stays.")
            .fails(UPDATING),
        Operation::new(Delete, "/{id}", Actor, "deleteToken", delete::delete)
            .summary("Delete a token"),
        Operation::new(Post, "/{id}/regenerate", Actor, "regenerateToken", regenerate::regenerate)
            .summary("Give a token a new secret")
            .description("The token is active afterwards, whatever it was: active, expired or revoked.")
            .fails(EDITING),
        Operation::new(Post, "/{id}/revoke", Actor, "revokeToken", revoke::revoke)
            .summary("Revoke a token")
            .description("A token that is revoked already stays as it is.")
            .fails(&[Kind::Conflict]),
        Operation::new(Post, "/{id}/copy", Actor, "copyToken", copy::copy)
            .summary("Issue a token like another")
            .description("With the other's name, description, scopes and expiry, but for what the body says.")
            .fails(COPYING),
        Operation::new(Post, "/{id}/scopes", Actor, "addScopes", scopes::add)
            .summary("Add scopes to a token")
            .fails(EDITING),
        Operation::new(Delete, "/{id}/scopes/{scope}", Actor, "removeScope", scopes::remove)
            .summary("Take a scope from a token")
            .fails(NARROWING),
        Operation::new(Delete, "/{id}/scopes", Actor, "clearScopes", scopes::clear)
            .summary("Take all scopes from a token")
            .description("It is then allowed nothing.")
            .fails(NARROWING),
        Operation::new(Post, "/delete", Actor, "deleteTokens", delete::delete_many)
            .summary("Delete several tokens"),
        Operation::new(Post, "/revoke", Admin, "revokeOwnersTokens", revoke::revoke_owner)
            .summary("Revoke all tokens of an owner"),
        Operation::new(Get, "/scopes", Actor, "listScopes", catalog::scopes)
            .summary("What a token can be given"),
        Operation::new(Get, "/current", Token, "showCurrentToken", current::show)
            .summary("Show the token that asks"),
        Operation::new(Delete, "/current", Token, "revokeCurrentToken", current::revoke)
            .summary("Revoke the token that asks")
            .fails(&[Kind::Conflict]),
        Operation::new(Get, "/openapi.json", Anyone, "openapi", document::openapi)
            .summary("This document"),
    ]
}
