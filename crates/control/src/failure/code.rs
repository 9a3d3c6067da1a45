//! The codes by which clients know a refusal, each with its status. They are Azure's words; a message may say more.

use http::StatusCode;

macro_rules! codes {
    ($($status:ident: $($code:ident),*;)*) => {
        /// A code of ARM or, with an underscore in it, of Graph.
        #[expect(non_camel_case_types, reason = "each is spelled as its clients know it")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($($code,)*)*
        }

        impl Code {
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$code => stringify!($code),)*)*
                }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self {
                    $($(Self::$code)|* => StatusCode::$status,)*
                }
            }
        }
    };
}

codes! {
    BAD_REQUEST:
        AccountNameInvalid, BadRequest, FederatedIdentityCredentialQuotaExceeded, IdentityNotSupported, InsufficientQuota,
        InvalidApiProperties, InvalidCapacity, InvalidFederatedIdentityCredentialName, InvalidFilterInQueryString,
        InvalidIdentityType, InvalidKeyName, InvalidLock, InvalidManagementGroup, InvalidPrincipalId, InvalidQueryParameter,
        InvalidRequestContent, InvalidRequestUri, InvalidResourceGroup, InvalidResourceId, InvalidResourceName,
        InvalidResourceProperties, InvalidRoleAssignmentCondition, InvalidRoleAssignmentDescription, InvalidRoleAssignmentId,
        InvalidRoleDefinition, InvalidRoleDefinitionId, InvalidSkipToken, InvalidTagNameOrValue, InvalidTopParameter,
        LastRbacAdminAssignmentCannotBeDeleted, LocationNotAvailableForResourceType, LocationRequired, MissingApiVersionParameter,
        PrincipalNotFound, RequestContentTooDeep, Request_BadRequest, Request_UnsupportedQuery, RoleAssignmentLimitExceeded,
        RoleAssignmentScopeNotAssignableToRoleDefinition, RoleAssignmentUpdateNotPermitted, RoleDefinitionHasAssignments,
        RoleDefinitionLimitExceeded, UnmatchedPrincipalType;
    UNAUTHORIZED:
        AuthenticationFailed, AuthenticationFailedInvalidHeader, ExpiredAuthenticationToken, InvalidAuthenticationToken,
        InvalidAuthenticationTokenAudience, InvalidAuthenticationTokenTenant, TokenIssuedBeforeRevocationTimestamp;
    FORBIDDEN:
        AuthorizationFailed, Authorization_RequestDenied, LinkedAuthorizationFailed, RoleDefinitionDeleteNotPermitted,
        RoleDefinitionUpdateNotPermitted;
    NOT_FOUND:
        CanNotRestoreANonExistingResource, DenyAssignmentNotFound, InvalidResourceNamespace, InvalidResourceType, LockNotFound,
        NotFound, Request_ResourceNotFound, ResourceGroupNotFound, ResourceNotFound, RoleAssignmentNotFound,
        RoleDefinitionDoesNotExist, SubscriptionNotFound;
    METHOD_NOT_ALLOWED: UnsupportedHttpVerb;
    CONFLICT:
        AnotherOperationInProgress, Conflict, CustomDomainInUse, FlagMustBeSetForRestore, InvalidResourceGroupLocation,
        InvalidResourceKind, InvalidResourceLocation, QuotaExceeded, Request_MultipleObjectsWithSameKeyValue,
        ResourceProviderCannotBeUnregistered, RoleAssignmentExists, RoleDefinitionWithSameNameExists, ScopeLocked;
    PRECONDITION_FAILED: PreconditionFailed;
    PAYLOAD_TOO_LARGE: RequestContentTooLarge;
    INTERNAL_SERVER_ERROR: InternalServerError;
    NOT_IMPLEMENTED: NotSupported;
    SERVICE_UNAVAILABLE: ServiceUnavailable;
}
