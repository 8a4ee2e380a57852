using System.Net;
using Amazon.RDS.Model;
using Amazon.Runtime;

namespace Amazon.RDS.Internal;

/// <summary>The exception of each code that the operations here answer with.</summary>
internal static class ServiceExceptions
{
    public static AmazonServiceException Make(string message, Exception inner, ErrorType type, string code, string requestId, HttpStatusCode status) => code switch
    {
        "DBClusterNotFoundFault" => new DBClusterNotFoundException(message, inner, type, code, requestId, status),
        "DBClusterSnapshotAlreadyExistsFault" => new DBClusterSnapshotAlreadyExistsException(message, inner, type, code, requestId, status),
        "DBClusterSnapshotNotFoundFault" => new DBClusterSnapshotNotFoundException(message, inner, type, code, requestId, status),
        "DBInstanceAlreadyExists" => new DBInstanceAlreadyExistsException(message, inner, type, code, requestId, status),
        "DBInstanceNotFound" => new DBInstanceNotFoundException(message, inner, type, code, requestId, status),
        "DBParameterGroupNotFound" => new DBParameterGroupNotFoundException(message, inner, type, code, requestId, status),
        "DBSnapshotAlreadyExists" => new DBSnapshotAlreadyExistsException(message, inner, type, code, requestId, status),
        "DBSnapshotNotFound" => new DBSnapshotNotFoundException(message, inner, type, code, requestId, status),
        "DBSubnetGroupNotFoundFault" => new DBSubnetGroupNotFoundException(message, inner, type, code, requestId, status),
        "InstanceQuotaExceeded" => new InstanceQuotaExceededException(message, inner, type, code, requestId, status),
        "InsufficientDBInstanceCapacity" => new InsufficientDBInstanceCapacityException(message, inner, type, code, requestId, status),
        "InvalidDBClusterSnapshotStateFault" => new InvalidDBClusterSnapshotStateException(message, inner, type, code, requestId, status),
        "InvalidDBClusterStateFault" => new InvalidDBClusterStateException(message, inner, type, code, requestId, status),
        "InvalidDBInstanceState" => new InvalidDBInstanceStateException(message, inner, type, code, requestId, status),
        "InvalidDBSnapshotState" => new InvalidDBSnapshotStateException(message, inner, type, code, requestId, status),
        "InvalidRestoreFault" => new InvalidRestoreException(message, inner, type, code, requestId, status),
        "KMSKeyNotAccessibleFault" => new KMSKeyNotAccessibleException(message, inner, type, code, requestId, status),
        "OptionGroupNotFoundFault" => new OptionGroupNotFoundException(message, inner, type, code, requestId, status),
        "SnapshotQuotaExceeded" => new SnapshotQuotaExceededException(message, inner, type, code, requestId, status),
        "StorageQuotaExceeded" => new StorageQuotaExceededException(message, inner, type, code, requestId, status),
        _ => new AmazonRDSException(message, inner, type, code, requestId, status),
    };
}
