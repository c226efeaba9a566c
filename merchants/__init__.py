"""Merchants: the tenant and the people who run it.

Owns: User (login by e-mail), Merchant (the tenant), Membership and roles, Invitation, MerchantSettings
(controlled by the platform). Every tenant table derives from merchants.models.TenantModel.
Publishes: nothing yet. Hears: nothing yet.
Imports: core only.
"""
