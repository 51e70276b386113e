//! One row of the table of operations: the router and the OpenAPI document are both built from it.

use std::future::Future;
use std::pin::Pin;

use axum::response::Response;
use axum::routing::MethodFilter;
use utoipa::openapi::HttpMethod;

use super::input::{Call, Input};
use super::reply::Reply;
use crate::openapi::Page;
use crate::problem::{Kind, Problem};

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody.
    Anyone,
    /// Somebody who is signed in.
    Actor,
    /// An admin who is signed in.
    Admin,
    /// A token, for itself.
    Token,
}

/// The methods there are; `GET` answers `HEAD` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    pub(crate) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    pub(crate) const fn documented(self) -> HttpMethod {
        match self {
            Self::Get => HttpMethod::Get,
            Self::Post => HttpMethod::Post,
            Self::Patch => HttpMethod::Patch,
            Self::Delete => HttpMethod::Delete,
        }
    }

    /// Whether it may change something.
    pub(crate) const fn changes(self) -> bool {
        !matches!(self, Self::Get)
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// An operation: where it is, who may call it, what it does.
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// Under the mount.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: Option<&'static str>,
    /// What may be wrong besides its inputs and who calls.
    pub(crate) failures: &'static [Kind],
    pub(crate) document: fn(&mut Page),
    run: Box<dyn Fn(Call) -> Answer + Send + Sync>,
}

impl Operation {
    pub(crate) fn new<R: Run<I>, I>(
        method: Method,
        path: &'static str,
        access: Access,
        id: &'static str,
        run: R,
    ) -> Self {
        Self {
            method,
            path,
            access,
            id,
            summary: "",
            description: None,
            failures: &[],
            document: R::document,
            run: Box::new(move |call| run.run(call)),
        }
    }

    pub(crate) fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    pub(crate) fn description(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    pub(crate) fn fails(mut self, failures: &'static [Kind]) -> Self {
        self.failures = failures;
        self
    }

    /// Whether it is a change that somebody who is signed in makes. A token that revokes itself
    /// only takes rights away.
    pub(crate) fn needs_confirmation(&self) -> bool {
        self.method.changes() && self.access != Access::Token
    }

    pub(crate) async fn run(&self, call: Call) -> Result<Response, Problem> {
        (self.run)(call).await
    }
}

/// An async function of inputs with a reply.
pub(crate) trait Run<I>: Send + Sync + 'static {
    fn run(&self, call: Call) -> Answer;

    fn document(page: &mut Page);
}

macro_rules! run {
    ($($input:ident $value:ident),*) => {
        impl<F, Fut, R, $($input,)*> Run<($($input,)*)> for F
        where
            F: Fn($($input),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Problem>> + Send,
            R: Reply,
            $($input: Input,)*
        {
            fn run(&self, mut call: Call) -> Answer {
                let run = self.clone();
                Box::pin(async move {
                    $(let $value = $input::take(&mut call).await?;)*
                    run($($value),*).await.map(Reply::into_response)
                })
            }

            fn document(page: &mut Page) {
                $($input::document(page);)*
                R::document(page);
            }
        }
    };
}

run!(A a);
run!(A a, B b);
run!(A a, B b, C c);
run!(A a, B b, C c, D d);
